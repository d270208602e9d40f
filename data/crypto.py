"""Keys, sealing and keyed digests."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TextIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.values import utc_now

_FORMAT = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyringFault(Exception):
    """The keys cannot be used; the text says why and holds no secret."""


class SealBroken(Exception):
    """What was sealed was changed, moved, or sealed with a key that is not here."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        # A location is made of a table, a column and a row's id.
        self.table, _, within = location.partition(".")
        self.id = within.partition(":")[2]

    def __str__(self) -> str:
        return f"{self.table} {self.id} cannot be opened: it was damaged, or its key is not here"


@dataclass(frozen=True)
class Key:
    id: str
    secret: bytes = field(repr=False)

    @cached_property
    def _aead(self) -> AESGCM:
        return AESGCM(self._derive(b"seal"))

    @cached_property
    def _digest_secret(self) -> bytes:
        return self._derive(b"digest")

    def _derive(self, purpose: bytes) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"clinic-api " + purpose)
        return kdf.derive(self.secret)

    def seal(self, plaintext: bytes, header: bytes, location: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._aead.encrypt(nonce, plaintext, header + location.encode())

    def unseal(self, sealed: bytes, header: bytes, location: str) -> bytes:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return self._aead.decrypt(nonce, ciphertext, header + location.encode())

    def digest(self, purpose: str, content: bytes) -> bytes:
        message = purpose.encode() + b"\0" + content
        return hmac.new(self._digest_secret, message, hashlib.sha256).digest()


class KeyringDocument(BaseModel):
    """The keyring as it is written in a file or in the environment."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    active: str
    keys: dict[str, str] = Field(min_length=1, repr=False)
    # A key that the service made for itself is good enough to try things out with.
    generated: bool = False

    @field_validator("keys")
    @classmethod
    def _are_256_bits(cls, keys: dict[str, str]) -> dict[str, str]:
        for key_id, secret in keys.items():
            if not 1 <= len(key_id.encode()) <= 40:
                raise ValueError("a key's id has 1 to 40 bytes")
            if len(base64.b64decode(secret, validate=True)) != _KEY_BYTES:
                raise ValueError("a key is 32 bytes in base64")
        return keys

    @model_validator(mode="after")
    def _has_its_active_key(self) -> "KeyringDocument":
        if self.active not in self.keys:
            raise ValueError("`active` names a key that is not there")
        return self


class Keyring:
    """All keys that may be needed to read, and the active one, which seals."""

    def __init__(self, document: KeyringDocument) -> None:
        self._generated = document.generated
        self._keys = {
            key_id: Key(key_id, base64.b64decode(secret))
            for key_id, secret in document.keys.items()
        }
        self._active = self._keys[document.active]

    @property
    def keys(self) -> dict[str, Key]:
        return self._keys

    @property
    def active(self) -> Key:
        return self._active

    @property
    def generated(self) -> bool:
        return self._generated

    def fixed(self) -> "Keyring":
        """The keys as they are now; they never change."""
        return self

    def seal(self, plaintext: bytes, *, location: str) -> bytes:
        """AES-256-GCM: format, key id, nonce, ciphertext; it opens in its `location` only."""
        key = self.active
        return key.seal(plaintext, header_of(key.id), location)

    def unseal(self, sealed: bytes, *, location: str) -> bytes:
        """Raises `SealBroken`."""
        try:
            key_id, end = _read_header(sealed)
            return self.keys[key_id].unseal(sealed[end:], sealed[:end], location)
        except (IndexError, KeyError, UnicodeDecodeError, ValueError, InvalidTag):
            raise SealBroken(location) from None

    def knows(self, sealed: bytes) -> bool:
        """Whether the key that this names is here."""
        try:
            return _read_header(sealed)[0] in self.keys
        except (IndexError, UnicodeDecodeError):
            return False

    def digests(self, purpose: str, content: bytes) -> list[bytes]:
        """Keyed digests (HMAC-SHA256) of `content`, the active key's first."""
        ring = self.fixed()
        others = [key for key in ring.keys.values() if key.id != ring.active.id]
        return [key.digest(purpose, content) for key in (ring.active, *others)]


def header_of(key_id: str) -> bytes:
    """What everything begins with that this key sealed."""
    name = key_id.encode()
    return _FORMAT + bytes([len(name)]) + name


def _read_header(sealed: bytes) -> tuple[str, int]:
    """The id of the key, and where the header ends."""
    end = 2 + sealed[1]
    return sealed[2:end].decode(), end


def new_key() -> tuple[str, str]:
    """The id of a fresh key, and its secret in base64."""
    key_id = f"{utc_now():%Y%m%d}-{secrets.token_hex(3)}"
    return key_id, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def parse_document(text: str, *, source: str) -> KeyringDocument:
    try:
        return KeyringDocument.model_validate(json.loads(text))
    except (ValidationError, ValueError, RecursionError):
        raise KeyringFault(
            f"{source} holds no valid keyring (`main.py keys create FILE` makes one)"
        ) from None


def read_document(path: Path, *, private: bool = False) -> KeyringDocument:
    """The keyring of a file; with `private`, only of one that nobody but its owner can read."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except (OSError, UnicodeDecodeError):
        raise KeyringFault(f"{path} cannot be read") from None
    if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyringFault(f"{path} can be read by others: run `chmod 600` on it")
    return parse_document(text, source=str(path))


def write_keyring(path: Path, *, generated: bool) -> None:
    """A new keyring file with one key that only its owner can read; never over an existing one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_id, secret = new_key()
    document = KeyringDocument(active=key_id, keys={key_id: secret}, generated=generated)
    with os.fdopen(_create(path), "w", encoding="ascii") as file:
        _write(file, document)


def replace_document(path: Path, document: KeyringDocument) -> None:
    """Replaces this keyring file, and keeps its owner and mode.

    A reader finds one of them, whole.
    """
    # A link may lead to the file.
    path = path.resolve()
    beside = path.with_name(f".{path.name}.new")
    try:
        found = path.stat()
        beside.unlink(missing_ok=True)
        with os.fdopen(_create(beside), "w", encoding="ascii") as file:
            os.fchown(file.fileno(), found.st_uid, found.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode))
            _write(file, document)
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise KeyringFault(f"{path} cannot be written: {error.strerror}") from None


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write(file: TextIO, document: KeyringDocument) -> None:
    file.write(document.model_dump_json(indent=2) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
