"""The workspace's key and what it signs: a bundle is used by the service only when the workspace itself handed it over.

The private key lies in `keys/`, is made at the first promotion and never leaves it; whoever only decides needs the public
key beside `models/`. Signed is the manifest, which holds the hash of every file, together with the version: a
signed bundle is none under another name. Ed25519 (RFC 8032).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from models.bundle_files import (
    SIGNATURE,
    BadBundle,
    BundleFiles,
    read_small,
    replace_durably,
    sync_folder,
)

PRIVATE, PUBLIC = Path("keys") / "bundles.pem", Path("bundles.pub.pem")
PURPOSE = b"rettid bundle 1\n"


class BadSigningKey(ValueError):
    """The workspace's key for bundles is missing, open to others, or not the one that its public key belongs to."""


def seal(workspace: Path, files: BundleFiles) -> Path:
    """Signs a bundle with the workspace's key, which is made where there is none; writes `manifest.sig` beside the manifest.

    Raises
    ------
    BadSigningKey
        The key cannot be used.
    """
    signature = signing_key(workspace).sign(signed_message(files))
    path = files.directory / SIGNATURE
    replace_durably(path, _written(signature))
    return path


def must_be_sealed(workspace: Path, files: BundleFiles) -> None:
    """Refuses a bundle that the workspace's key has not signed under this version.

    Raises
    ------
    BadBundle
        There is no signature, no public key, or the one is not the other's.
    """
    public = _public_key(workspace)
    if not (files.directory / SIGNATURE).is_file():
        raise BadBundle(f"{files.directory}: expected a signature in {SIGNATURE}: run `rettid promote` for it again")
    raw = read_small(files.directory / SIGNATURE)
    try:
        signature = bytes.fromhex(raw.decode("ascii"))
        public.verify(signature, signed_message(files))
        if raw != _written(signature):  # the same in capitals or with blanks would be a changed file that passes
            raise InvalidSignature
    except (InvalidSignature, ValueError) as error:
        raise BadBundle(
            f"{files.directory}: {SIGNATURE} is not by the key in {workspace / PUBLIC}: "
            "run `rettid promote` for it again, in this workspace"
        ) from error


def signing_key(workspace: Path) -> Ed25519PrivateKey:
    """The workspace's private key; made, with its public one, where neither is there.

    Raises
    ------
    BadSigningKey
        It is missing while its public key is there, may be read by others, or is not that public key's.
    """
    path, public = workspace / PRIVATE, workspace / PUBLIC
    if not path.exists():
        if public.exists():
            raise BadSigningKey(
                f"{public} is there but not its private key {path}: restore it, or remove {public.name} and promote again"
            )
        _make(path)
    key = _private_key(path)
    mine = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not public.exists():
        replace_durably(public, mine)
    if public.read_bytes() != mine:
        raise BadSigningKey(f"{public} is not the public key of {path}: restore the one that belongs to the other")
    return key


def _make(path: Path) -> None:
    """A private key that nobody else may read, in a folder that git leaves out; the first of two at once wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignored = path.parent / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    fresh = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    fresh.touch(mode=0o600, exist_ok=False)
    try:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with fresh.open("wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # a link fails where the name is taken; a rename would put a second key over the first
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def _private_key(path: Path) -> Ed25519PrivateKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise BadSigningKey(f"{path}: expected that its owner alone may read it, came mode {mode:o}: chmod 600 {path}")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSigningKey(f"{path}: expected a private key in PEM: restore it") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSigningKey(f"{path}: expected an Ed25519 key, came {type(key).__name__}: restore it")
    return key


def _public_key(workspace: Path) -> Ed25519PublicKey:
    path = workspace / PUBLIC
    if not path.is_file():
        raise BadBundle(f"no public key in {path}, so no bundle can be trusted: run `rettid promote` again")
    try:
        key = load_pem_public_key(read_small(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadBundle(f"{path}: expected a public key in PEM: restore it") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadBundle(f"{path}: expected an Ed25519 key, came {type(key).__name__}: restore it")
    return key


def _written(signature: bytes) -> bytes:
    return signature.hex().encode() + b"\n"


def signed_message(files: BundleFiles) -> bytes:
    """What a signature is over: purpose, version and manifest."""
    return PURPOSE + files.directory.name.encode() + b"\n" + files.manifest
