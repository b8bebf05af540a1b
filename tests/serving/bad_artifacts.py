"""Bundles that must never decide: each is made from a good one of the workspace, and the champion's pointer is set on it.

For tests of the hand-over and for runs under load alike: `make(workspace, good)` of each of `BAD` offers it.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle_files import GOLDEN, HEAD, MANIFEST, SIGNATURE, BundleFiles, replace_durably, sha256
from models.bundle_seal import seal, signed_message

TEXT = "booster.txt"
HUGE = 5 * 2**30
CANARY = Path("canary-was-run")

Spoil = Callable[[Path, Path], None]


@dataclass(frozen=True)
class BadArtifact:
    """A way to spoil a bundle.

    `spoil` gets the workspace and the folder of a whole, signed copy of the good bundle; `words` are in the refusal. `tried`:
    only the child process can find out.
    """

    name: str
    spoil: Spoil
    words: str
    tried: bool = False

    def make(self, workspace: Path, good: str) -> str:
        """Offers it as champion; its version."""
        version = "bad-" + re.sub("[^a-z0-9]+", "-", self.name)[:50]
        folder = copied(workspace, good, version)
        self.spoil(workspace, folder)
        if not self.name.startswith("pointer"):
            point(workspace, version)
        return version


class Canary:
    """Leaves a file behind when a pickle of it is loaded."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(CANARY),)


def point(workspace: Path, version: str, role: str = "champion") -> None:
    """The pointer alone, as somebody with a text editor would write it."""
    text = json.dumps({"model_version": version, "directory": f"models/{version}"})
    replace_durably(workspace / "models" / f"{role}.json", text.encode())


def copied(workspace: Path, good: str, version: str) -> Path:
    """A good bundle under another version, whole and signed."""
    folder = workspace / "models" / version
    if folder.is_symlink() or folder.exists():
        shutil.rmtree(folder) if not folder.is_symlink() else folder.unlink()
    shutil.copytree(workspace / "models" / good, folder)
    head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
    return rewritten(workspace, folder, HEAD, json.dumps(head | {"model_version": version}))


def rewritten(workspace: Path, folder: Path, name: str, text: str | bytes) -> Path:
    """A file with another content, its right hash in the manifest, and the workspace's signature."""
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(data)
    hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return remade(workspace, folder, hashes | {name: sha256(data)})


def remade(workspace: Path, folder: Path, hashes: object) -> Path:
    """Another manifest, rightly signed."""
    (folder / MANIFEST).write_text(json.dumps(hashes), encoding="utf-8")
    seal(workspace, files_of(folder))
    return folder


def files_of(folder: Path) -> BundleFiles:
    return BundleFiles(folder, (folder / MANIFEST).read_bytes(), {})


def text_changed(pattern: str, change: Callable[[str], str], *, last: bool = False) -> Spoil:
    """The model's text with one line changed, manifest and signature made right."""

    def spoil(workspace: Path, folder: Path) -> None:
        text = (folder / TEXT).read_text(encoding="utf-8")
        found = list(re.finditer(pattern, text, re.MULTILINE))[-1 if last else 0]
        changed = text[: found.start()] + change(found.group()) + text[found.end() :]
        assert changed != text
        rewritten(workspace, folder, TEXT, changed)

    return spoil


def head_changed(**changes: object) -> Spoil:
    def spoil(workspace: Path, folder: Path) -> None:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        rewritten(workspace, folder, HEAD, json.dumps(head | changes))

    return spoil


def golden_changed(change: Callable[[dict[str, list[float | None]]], None]) -> Spoil:
    def spoil(workspace: Path, folder: Path) -> None:
        golden = json.loads((folder / GOLDEN).read_text(encoding="utf-8"))
        change(golden)
        rewritten(workspace, folder, GOLDEN, json.dumps(golden))

    return spoil


def replaced(name: str, text: str | bytes) -> Spoil:
    """A file with right hash and signature."""
    return lambda workspace, folder: rewritten(workspace, folder, name, text) and None


def overwritten(name: str, data: bytes) -> Spoil:
    """A file changed under its hash."""
    return lambda _, folder: (folder / name).write_bytes(data) and None


def removed(name: str) -> Spoil:
    return lambda _, folder: (folder / name).unlink()


def sparse(name: str) -> Spoil:
    return lambda _, folder: os.truncate(folder / name, HUGE)


def cut(name: str, share: float) -> Spoil:
    return lambda _, folder: os.truncate(folder / name, int((folder / name).stat().st_size * share))


def cut_and_signed(share: float) -> Spoil:
    def spoil(workspace: Path, folder: Path) -> None:
        text = (folder / TEXT).read_text(encoding="utf-8")
        rewritten(workspace, folder, TEXT, text[: int(len(text) * share)])

    return spoil


def linked(name: str) -> Spoil:
    """A link to a file with just the right content."""

    def spoil(workspace: Path, folder: Path) -> None:
        (folder / name).rename(workspace / name)
        (folder / name).symlink_to(workspace / name)

    return spoil


def named(name: str) -> Spoil:
    """One more file in the manifest, which is there."""

    def spoil(workspace: Path, folder: Path) -> None:
        hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        (workspace / "outside.json").write_text("{}", encoding="utf-8")
        remade(workspace, folder, hashes | {name: sha256(b"{}")})

    return spoil


def _signed_by_another(workspace: Path, folder: Path) -> None:
    signature = Ed25519PrivateKey.generate().sign(signed_message(files_of(folder)))
    (folder / SIGNATURE).write_text(signature.hex() + "\n", encoding="ascii")


def _signed_as_another(_workspace: Path, folder: Path) -> None:
    shutil.copy(folder.parent / "good" / SIGNATURE, folder / SIGNATURE)


def _folder_linked(workspace: Path, folder: Path) -> None:
    folder.rename(workspace / "elsewhere")
    folder.symlink_to(workspace / "elsewhere")


def _named_pipe(_workspace: Path, folder: Path) -> None:
    (folder / TEXT).unlink()
    os.mkfifo(folder / TEXT)


def _another_in_its_place(workspace: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(workspace / "models" / "good", folder)


def pointer(text: str | bytes) -> Spoil:
    data = text.encode() if isinstance(text, str) else text
    return lambda workspace, _: replace_durably(workspace / "models" / "champion.json", data)


def _pointer_linked(workspace: Path, folder: Path) -> None:
    path = workspace / "models" / "champion.json"
    point(workspace, folder.name, "other")
    path.unlink()
    path.symlink_to(path.with_name("other.json"))


def _pointer_sparse(workspace: Path, folder: Path) -> None:
    point(workspace, folder.name)
    os.truncate(workspace / "models" / "champion.json", HUGE)


def _first_chance(golden: dict[str, list[float | None]]) -> None:
    golden["chance"][0] = 0.5 if golden["chance"][0] != 0.5 else 0.25


def _no_rows(golden: dict[str, list[float | None]]) -> None:
    for name in ("picks", "action", "chance"):
        golden[name] = []


def _numbers(line: str, *, place: int, to: str) -> str:
    name, _, numbers = line.partition("=")
    listed = numbers.split(" ")
    listed[place] = to
    return f"{name}={' '.join(listed)}"


def _without_golden(workspace: Path, folder: Path) -> None:
    hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    del hashes[GOLDEN]
    remade(workspace, folder, hashes)


PICKLE = pickle.dumps(Canary(), protocol=0)
DEEP = "[" * 100_000 + "]" * 100_000

BAD: tuple[BadArtifact, ...] = (
    BadArtifact("pointer that is empty", pointer(""), "not JSON"),
    BadArtifact("pointer that is half there", pointer('{"model_ver'), "not JSON"),
    BadArtifact("pointer that is a list", pointer("[]"), "expected a JSON object"),
    BadArtifact("pointer that is deep", pointer("[" * 30_000), "not JSON"),
    BadArtifact("pointer that is a pickle", pointer(PICKLE), "not JSON"),
    BadArtifact("pointer without a version", pointer("{}"), "none of ours"),
    BadArtifact("pointer upwards", pointer('{"model_version": "../good"}'), "none of ours"),
    BadArtifact("pointer to the root", pointer('{"model_version": "/etc"}'), "none of ours"),
    BadArtifact("pointer with a zero", pointer('{"model_version": "good\\u0000"}'), "none of ours"),
    BadArtifact("pointer to a long name", pointer(json.dumps({"model_version": "a" * 300})), "none of ours"),
    BadArtifact("pointer to another folder", pointer('{"model_version": "good", "directory": "/tmp"}'), "came another"),
    BadArtifact("pointer to nothing", pointer('{"model_version": "never-made"}'), "no bundle in"),
    BadArtifact("pointer that is a link", _pointer_linked, "plain file"),
    BadArtifact("pointer of 5 GB", _pointer_sparse, "plain file of at most"),
    BadArtifact("bundle that is a link", _folder_linked, "no link"),
    BadArtifact("another bundle in its place", _another_in_its_place, "is not by the key"),
    BadArtifact("no manifest", removed(MANIFEST), "no bundle in"),
    BadArtifact("empty manifest", overwritten(MANIFEST, b""), "not JSON"),
    BadArtifact("deep manifest", overwritten(MANIFEST, DEEP.encode()[:60_000]), "not JSON"),
    BadArtifact("large manifest", overwritten(MANIFEST, b"{" + b" " * 70_000 + b"}"), "at most 65536"),
    BadArtifact("manifest of 5 GB", sparse(MANIFEST), "at most 65536"),
    BadArtifact("manifest that is a pickle", overwritten(MANIFEST, PICKLE), "not JSON"),
    BadArtifact("manifest that names a file above", named("../outside.json"), "names of ours"),
    BadArtifact("manifest that names a file elsewhere", named("/etc/passwd"), "names of ours"),
    BadArtifact("manifest that names a pickle", named("model.pkl"), "names of ours"),
    BadArtifact("manifest that names itself", named(MANIFEST), "names of ours"),
    BadArtifact("manifest with a number for a hash", lambda w, f: remade(w, f, {HEAD: 1}) and None, "names of ours"),
    BadArtifact("manifest without the head", lambda w, f: remade(w, f, {}) and None, "bundle.json missing"),
    BadArtifact("manifest linked", linked(MANIFEST), "plain file"),
    BadArtifact("model missing", removed(TEXT), "booster.txt missing or changed"),
    BadArtifact("model empty", overwritten(TEXT, b""), "booster.txt missing or changed"),
    BadArtifact("model linked", linked(TEXT), "came a link"),
    BadArtifact("model that is a pipe", _named_pipe, "came a link, folder or device"),
    BadArtifact("model of 5 GB", sparse(TEXT), "at most 268435456"),
    BadArtifact("golden predictions of 5 GB", sparse(GOLDEN), "at most 16777216"),
    BadArtifact("model cut", cut(TEXT, 0.5), "booster.txt missing or changed"),
    BadArtifact("head cut", cut(HEAD, 0.9), "bundle.json missing or changed"),
    BadArtifact("model that is a pickle", overwritten(TEXT, PICKLE), "booster.txt missing or changed"),
    BadArtifact("unsigned", removed(SIGNATURE), "expected a signature"),
    BadArtifact("empty signature", overwritten(SIGNATURE, b""), "is not by the key"),
    BadArtifact("signature that is a pickle", overwritten(SIGNATURE, PICKLE), "is not by the key"),
    BadArtifact("signature of 5 GB", sparse(SIGNATURE), "at most 65536"),
    BadArtifact("signed by another key", _signed_by_another, "is not by the key"),
    BadArtifact("signature of another bundle", _signed_as_another, "is not by the key"),
    BadArtifact("other features", head_changed(feature_fingerprint="0" * 16), "train again with this version"),
    BadArtifact("other format", head_changed(format=99), "came 99"),
    BadArtifact("other LightGBM", head_changed(lightgbm="3.3.5"), "written with LightGBM 3"),
    BadArtifact("other version inside", head_changed(model_version="good"), "expected that version inside"),
    BadArtifact("deep head", replaced(HEAD, DEEP), "not JSON"),
    BadArtifact("head that is a list", replaced(HEAD, "[]"), "expected a JSON object"),
    BadArtifact("head without a reference", head_changed(reference=None), "cannot be read"),
    BadArtifact("text that is none", replaced(TEXT, b"\xff\xfe tree"), "UTF-8"),
    BadArtifact("no golden predictions", _without_golden, "expected golden.json"),
    BadArtifact("golden predictions of nothing", golden_changed(_no_rows), "golden", tried=True),
    BadArtifact("golden prediction changed", golden_changed(_first_chance), "rows differ", tried=True),
    BadArtifact("deep golden predictions", replaced(GOLDEN, DEEP), "not JSON", tried=True),
    BadArtifact("head without a recipe", head_changed(recipe=None, constant=5), "cannot be read", tried=True),
    BadArtifact("signed pickle for a model", replaced(TEXT, PICKLE), "cannot be read", tried=True),
    BadArtifact("signed empty model", replaced(TEXT, ""), "cannot be read", tried=True),
    BadArtifact("signed cut model", cut_and_signed(0.37), "cannot be read", tried=True),
    BadArtifact("signed model cut within a tree", cut_and_signed(0.93), "tree", tried=True),
    BadArtifact("signed model cut within the head", cut_and_signed(0.002), "cannot be read", tried=True),
    BadArtifact(
        "leaf that is no number",
        text_changed("^leaf_value=.*$", lambda line: _numbers(line, place=0, to="nan")),
        "no finite number",
        tried=True,
    ),
    BadArtifact(
        "leaf changed",
        text_changed("^leaf_value=.*$", lambda line: _numbers(line, place=-1, to="3.5"), last=True),
        "rows differ",
        tried=True,
    ),
    BadArtifact(
        "tree that goes in a circle",
        text_changed("^left_child=.*$", lambda line: _numbers(line, place=0, to="0")),
        "does not hang together",
        tried=True,
    ),
    BadArtifact(
        "column that is not there",
        text_changed("^split_feature=.*$", lambda line: _numbers(line, place=0, to="99999")),
        "asks for a column",
        tried=True,
    ),
    BadArtifact(
        "tree sizes that are wrong",
        text_changed("^num_leaves=.*$", lambda _: "num_leaves=60000"),
        "died of SIGABRT",
        tried=True,
    ),
)
