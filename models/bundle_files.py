"""Files of a bundle on disk: read within limits and held against their hashes, written so that they stay written."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST, HEAD, GOLDEN, SIGNATURE = "manifest.json", "bundle.json", "golden.json", "manifest.sig"
FILE_NAME = r"[a-z0-9][a-z0-9_-]{0,62}\.(json|txt)"

SMALL_BYTES = 64 * 1024
"""Of a pointer, a manifest, a key or a signature."""
FILE_BYTES = {".json": 16 * 1024 * 1024, ".txt": 256 * 1024 * 1024}
"""JSON is read by this process, and nothing else runs meanwhile; a model's text is read by LightGBM."""
BUNDLE_BYTES = 512 * 1024 * 1024
FILES = 256


class BadBundle(ValueError):
    """A bundle's files are missing, changed, too large, or made for other features."""


@dataclass(frozen=True)
class BundleFiles:
    """What a bundle holds, as it lay on disk when its hashes were held against the manifest.

    Attributes
    ----------
    manifest
        Its bytes: what is signed.
    texts
        Of each file that the manifest names.
    """

    directory: Path
    manifest: bytes
    texts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, which holds those of all other files."""
        return hashlib.sha256(self.manifest).hexdigest()

    def part(self, name: str) -> dict[str, Any]:
        """A file as a JSON object; `BadBundle` where it is missing or none."""
        if name not in self.texts:
            raise BadBundle(
                f"{self.directory}: expected {name} in its manifest: train again with this version, then promote"
            )
        return json_object(self.texts[name], what=str(self.directory / name))


def read_files(directory: Path) -> BundleFiles:
    """All files of a bundle, read once; sizes are looked at before anything is read.

    What lies in the folder without standing in the manifest is never opened.

    Raises
    ------
    BadBundle
        A file is missing, changed, too large, no plain file, or named so that it could lie elsewhere.
    """
    if directory.is_symlink() or not (directory / MANIFEST).is_file():
        raise BadBundle(f"no bundle in {directory}: expected {MANIFEST} there, in a folder that is no link")
    manifest = read_small(directory / MANIFEST)
    hashes = _hashes(manifest, directory / MANIFEST)
    _must_be_within_limits(directory, hashes)
    found = {
        name: _read(directory / name, most=FILE_BYTES[Path(name).suffix])
        for name in hashes
        if (directory / name).is_file()
    }
    wrong = [name for name, sha in hashes.items() if name not in found or sha256(found[name]) != sha]
    if wrong or HEAD not in hashes:
        told = ", ".join(wrong) or HEAD
        raise BadBundle(f"{directory}: {told} missing or changed since it was written: restore or retrain")
    return BundleFiles(directory, manifest, {name: _text(data, directory / name) for name, data in found.items()})


def sha256(data: bytes) -> str:
    """Hash of a file's bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def read_small(path: Path) -> bytes:
    """Bytes of a pointer, manifest, key or signature; `BadBundle` where it is missing, a link or too large."""
    return _read(path, most=SMALL_BYTES)


def json_object(text: str | bytes, *, what: str) -> dict[str, Any]:
    """A JSON object.

    >>> json_object("[]", what="pointer")
    Traceback (most recent call last):
    models.bundle_files.BadBundle: pointer: expected a JSON object, came list: restore it, or train and promote again
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadBundle(f"{what} is not JSON ({error}): restore it, or train and promote again") from error
    if not isinstance(found, dict):
        came = type(found).__name__
        raise BadBundle(f"{what}: expected a JSON object, came {came}: restore it, or train and promote again")
    return found


def write_durably(path: Path, data: bytes) -> None:
    """A new file whose bytes are on disk before this returns."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, data: bytes) -> None:
    """A file replaced whole, for readers and over a loss of power alike; the last of several writers at once wins."""
    fresh = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    try:
        write_durably(fresh, data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on disk: a file is not there after a loss of power because its bytes are."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hashes(manifest: bytes, path: Path) -> dict[str, str]:
    hashes = json_object(manifest, what=str(path))
    wrong = [name for name, sha in hashes.items() if not _is_ours(name) or not isinstance(sha, str)]
    if wrong or len(hashes) > FILES:
        told = f"{len(hashes)} files" if not wrong else f"{wrong[0]!r:.60}"
        raise BadBundle(f"{path}: expected at most {FILES} file names of ours with their hashes, came {told}: retrain")
    return hashes


def _is_ours(name: str) -> bool:
    return re.fullmatch(FILE_NAME, name) is not None and name != MANIFEST


def _must_be_within_limits(directory: Path, hashes: Mapping[str, str]) -> None:
    """Looks at sizes alone: a file of 5 GB is refused without a byte of it being read."""
    sizes = {name: _size(directory / name) for name in hashes}
    for name, size in sizes.items():
        most = FILE_BYTES[Path(name).suffix]
        if size > most:
            raise BadBundle(f"{directory / name}: expected at most {most} bytes, came {size}: restore or retrain")
    if sum(sizes.values()) > BUNDLE_BYTES:
        raise BadBundle(
            f"{directory}: expected at most {BUNDLE_BYTES} bytes in all, came {sum(sizes.values())}: train a smaller model"
        )


def _size(path: Path) -> int:
    """Bytes of a plain file, 0 where there is none: that is told with the hashes."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        raise BadBundle(f"{path}: expected a plain file, came a link, folder or device: restore or retrain")
    return found.st_size


def _read(path: Path, *, most: int) -> bytes:
    """Bytes of a plain file. Its size may have changed since it was looked at, so the handle is asked again."""
    try:
        # without O_NONBLOCK a named pipe in the file's place would be waited for
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadBundle(f"{path}: expected a plain file ({error.strerror}): restore it, or promote again") from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise BadBundle(
                f"{path}: expected a plain file of at most {most} bytes, came {found.st_size}: promote again"
            )
        return file.read(most)


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadBundle(f"{path}: expected text in UTF-8 ({error.reason}): restore or retrain") from error
