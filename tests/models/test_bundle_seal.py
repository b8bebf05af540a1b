"""Signatures: one key a workspace, that nobody else may read, and a bundle under its own name."""

from __future__ import annotations

import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.bundle_files import MANIFEST, SIGNATURE, BadBundle, BundleFiles
from models.bundle_seal import PRIVATE, PUBLIC, BadSigningKey, must_be_sealed, seal, signing_key


def some_files(workspace: Path, version: str = "m1", manifest: bytes = b'{"bundle.json": "0"}') -> BundleFiles:
    directory = workspace / "models" / version
    directory.mkdir(parents=True)
    (directory / MANIFEST).write_bytes(manifest)
    return BundleFiles(directory, manifest, {})


def test_what_the_workspace_signed_is_sealed_and_nothing_else_is(tmp_path: Path) -> None:
    files = some_files(tmp_path)
    seal(tmp_path, files)
    must_be_sealed(tmp_path, files)
    changed = BundleFiles(files.directory, files.manifest + b" ", {})
    with pytest.raises(BadBundle, match="is not by the key"):
        must_be_sealed(tmp_path, changed)


def test_a_signature_holds_for_no_other_version(tmp_path: Path) -> None:
    files, other = some_files(tmp_path), some_files(tmp_path, "m2")
    seal(tmp_path, files)
    shutil.copy(files.directory / SIGNATURE, other.directory / SIGNATURE)
    with pytest.raises(BadBundle, match="is not by the key"):
        must_be_sealed(tmp_path, other)


def test_a_bundle_of_another_workspace_is_not_trusted(tmp_path: Path) -> None:
    files = some_files(tmp_path / "a")
    seal(tmp_path / "a", files)
    signing_key(tmp_path / "b")
    with pytest.raises(BadBundle, match="is not by the key"):
        must_be_sealed(tmp_path / "b", files)


@pytest.mark.parametrize("change", [str.upper, lambda text: text + " ", lambda text: text.replace("\n", "")])
def test_a_signature_written_otherwise_is_refused(tmp_path: Path, change) -> None:
    files = some_files(tmp_path)
    path = seal(tmp_path, files)
    path.write_text(change(path.read_text(encoding="ascii")), encoding="ascii")
    with pytest.raises(BadBundle, match="is not by the key"):
        must_be_sealed(tmp_path, files)


def test_the_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    signing_key(tmp_path)
    assert stat.S_IMODE((tmp_path / PRIVATE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / PRIVATE).parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in (tmp_path / PRIVATE).parent.iterdir()) == [".gitignore", "bundles.pem"]
    assert b"PRIVATE" not in (tmp_path / PUBLIC).read_bytes()
    (tmp_path / PRIVATE).chmod(0o640)
    with pytest.raises(BadSigningKey, match="came mode 640: chmod 600"):
        signing_key(tmp_path)


def test_git_does_not_see_the_private_key(tmp_path: Path) -> None:
    signing_key(tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    seen = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    )
    assert seen.stdout.split() == ["??", str(PUBLIC)]


def test_the_key_is_made_once_however_many_ask(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: signing_key(tmp_path).private_bytes_raw(), range(32)))
    assert len(set(keys)) == 1


def test_a_lost_private_key_is_not_made_anew_under_the_old_public_one(tmp_path: Path) -> None:
    signing_key(tmp_path)
    (tmp_path / PRIVATE).unlink()
    with pytest.raises(BadSigningKey, match="restore it, or remove"):
        signing_key(tmp_path)


def test_a_lost_public_key_comes_back_and_another_ones_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path / "a")
    signing_key(tmp_path / "b")
    before = (tmp_path / "a" / PUBLIC).read_bytes()
    (tmp_path / "a" / PUBLIC).unlink()
    signing_key(tmp_path / "a")
    assert (tmp_path / "a" / PUBLIC).read_bytes() == before
    shutil.copy(tmp_path / "b" / PUBLIC, tmp_path / "a" / PUBLIC)
    with pytest.raises(BadSigningKey, match="is not the public key of"):
        signing_key(tmp_path / "a")


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_private_key_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    signing_key(tmp_path)
    (tmp_path / PRIVATE).write_bytes(data)
    with pytest.raises(BadSigningKey, match="expected a private key in PEM"):
        signing_key(tmp_path)
