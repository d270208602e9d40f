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
    """The keys cannot be used. The message gives the reason and contains no secret."""


class SealBroken(Exception):
    """A sealed value cannot be opened: it was changed or moved, or the keyring lacks its key."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        # A location has the form `table.column:id`.
        self.table, _, within = location.partition(".")
        self.id = within.partition(":")[2]

    def __str__(self) -> str:
        reason = "it was damaged, or its key is not in the keyring"
        return f"{self.table} {self.id} cannot be opened: {reason}"


@dataclass(frozen=True)
class Key:
    """One key. Its secret is never used itself: HKDF (RFC 5869) derives one key for each use."""

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
        # The location is authenticated: a value that was copied to another row does not open.
        return header + nonce + self._aead.encrypt(nonce, plaintext, header + location.encode())

    def unseal(self, sealed: bytes, header: bytes, location: str) -> bytes:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return self._aead.decrypt(nonce, ciphertext, header + location.encode())

    def digest(self, purpose: str, content: bytes) -> bytes:
        message = purpose.encode() + b"\0" + content
        return hmac.new(self._digest_secret, message, hashlib.sha256).digest()


class KeyringDocument(BaseModel):
    """The JSON document of a keyring, in a file or in an environment variable."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    active: str
    keys: dict[str, str] = Field(min_length=1, repr=False)
    # The service made the key itself, for trials. Production refuses such a keyring.
    generated: bool = False

    @field_validator("keys")
    @classmethod
    def _check_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for key_id, secret in keys.items():
            if not 1 <= len(key_id.encode()) <= 40:
                raise ValueError("a key's id has 1 to 40 bytes")
            if len(base64.b64decode(secret, validate=True)) != _KEY_BYTES:
                raise ValueError("a key is 32 bytes in base64")
        return keys

    @model_validator(mode="after")
    def _check_active(self) -> "KeyringDocument":
        if self.active not in self.keys:
            raise ValueError("`active` is not the id of one of `keys`")
        return self


class Keyring:
    """The keys that open sealed values. New values are sealed with the active key."""

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

    def snapshot(self) -> "Keyring":
        """A keyring with the current keys, which never change."""
        return self

    def seal(self, plaintext: bytes, *, location: str) -> bytes:
        """Encrypts with AES-256-GCM; returns the header, the nonce and the ciphertext.

        The result can be opened only with the same `location`, `table.column:id`.
        """
        key = self.active
        return key.seal(plaintext, header_of(key.id), location)

    def unseal(self, sealed: bytes, *, location: str) -> bytes:
        """The plaintext of a sealed value. Raises `SealBroken`."""
        try:
            key_id, end = _read_header(sealed)
            return self.keys[key_id].unseal(sealed[end:], sealed[:end], location)
        except (IndexError, KeyError, UnicodeDecodeError, ValueError, InvalidTag):
            raise SealBroken(location) from None

    def has_key_of(self, sealed: bytes) -> bool:
        """Whether the keyring contains the key of a sealed value."""
        try:
            return _read_header(sealed)[0] in self.keys
        except (IndexError, UnicodeDecodeError):
            return False

    def digests(self, purpose: str, content: bytes) -> list[bytes]:
        """HMAC-SHA256 of `content` with each key, the active key first.

        Digests of different purposes are not comparable.
        """
        keyring = self.snapshot()
        others = [key for key in keyring.keys.values() if key.id != keyring.active.id]
        return [key.digest(purpose, content) for key in (keyring.active, *others)]


def header_of(key_id: str) -> bytes:
    """The beginning of each value sealed with this key: format, length of the id, id."""
    name = key_id.encode()
    return _FORMAT + bytes([len(name)]) + name


def _read_header(sealed: bytes) -> tuple[str, int]:
    """The id of the key, and the length of the header in bytes."""
    end = 2 + sealed[1]
    return sealed[2:end].decode(), end


def new_key() -> tuple[str, str]:
    """The id of a new key, and its secret in base64."""
    key_id = f"{utc_now():%Y%m%d}-{secrets.token_hex(3)}"
    return key_id, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def parse_document(text: str, *, source: str) -> KeyringDocument:
    """The keyring in a JSON text. Raises `KeyringFault`; its message names `source`."""
    try:
        return KeyringDocument.model_validate(json.loads(text))
    except (ValidationError, ValueError, RecursionError):
        raise KeyringFault(
            f"{source} contains no valid keyring (`main.py keys create FILE` makes one)"
        ) from None


def read_document(path: Path, *, private: bool = False) -> KeyringDocument:
    """The keyring in a file. With `private`, only its owner may have access to the file.

    Raises `KeyringFault`.
    """
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
    """Creates a keyring file with one new key, which only the file's owner can read.

    Raises `FileExistsError`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_id, secret = new_key()
    document = KeyringDocument(active=key_id, keys={key_id: secret}, generated=generated)
    with os.fdopen(_create(path), "w", encoding="ascii") as file:
        _write(file, document)


def replace_document(path: Path, document: KeyringDocument) -> None:
    """Replaces a keyring file, and keeps its owner and mode. Raises `KeyringFault`.

    The replacement is atomic: a reader gets the complete old file or the complete new file.
    """
    # A symbolic link stays: the file that it points to is replaced.
    path = path.resolve()
    new_file = path.with_name(f".{path.name}.new")
    try:
        old = path.stat()
        new_file.unlink(missing_ok=True)
        with os.fdopen(_create(new_file), "w", encoding="ascii") as file:
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
            _write(file, document)
        new_file.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            new_file.unlink(missing_ok=True)
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
