"""Keys, sealing and keyed digests."""

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.values import utc_now

log = logging.getLogger("clinic_api")

_FORMAT = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyringFault(Exception):
    """The keys cannot be used; the text says why and holds no secret."""


class SealBroken(Exception):
    """What was sealed was changed, moved, or sealed with a key that is not here."""


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

    def seal(self, plaintext: bytes, header: bytes, place: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._aead.encrypt(nonce, plaintext, header + place.encode())

    def unseal(self, sealed: bytes, header: bytes, place: str) -> bytes:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return self._aead.decrypt(nonce, ciphertext, header + place.encode())

    def digest(self, purpose: str, content: bytes) -> bytes:
        message = purpose.encode() + b"\0" + content
        return hmac.new(self._digest_secret, message, hashlib.sha256).digest()


class KeyringDocument(BaseModel):
    """The keyring as it is written in a file or in the environment."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    active: str
    keys: dict[str, str] = Field(min_length=1)
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
    """All keys that may be needed to read, and the active one, which seals.

    Where it came from a file, it follows that file, so that keys are changed while it is used.
    """

    def __init__(self, document: KeyringDocument, *, file: Path | None = None) -> None:
        self._file = file
        self._seen = _signature(file)
        self._use(document)

    def _use(self, document: KeyringDocument) -> None:
        self.generated = document.generated
        self.keys = {
            key_id: Key(key_id, base64.b64decode(secret))
            for key_id, secret in document.keys.items()
        }
        self.active = self.keys[document.active]

    def look_again(self) -> None:
        """Takes the file's keys when it was changed; one that cannot be read changes nothing."""
        seen = _signature(self._file)
        if self._file is None or seen is None or seen == self._seen:
            return
        try:
            document = read_document(self._file)
        except KeyringFault as fault:
            log.error("the keys stay as they were: %s", fault)
        else:
            self._use(document)
        self._seen = seen

    def seal(self, plaintext: bytes, *, place: str) -> bytes:
        """AES-256-GCM: format, key id, nonce, ciphertext; it opens in its `place` only."""
        key = self.active
        return key.seal(plaintext, header_of(key.id), place)

    def unseal(self, sealed: bytes, *, place: str) -> bytes:
        try:
            end = 2 + sealed[1]
            key_id = sealed[2:end].decode()
            if key_id not in self.keys:
                # It was sealed since this was last looked at.
                self.look_again()
            return self.keys[key_id].unseal(sealed[end:], sealed[:end], place)
        except (IndexError, KeyError, UnicodeDecodeError, ValueError, InvalidTag):
            raise SealBroken from None

    def digests(self, purpose: str, content: bytes) -> list[bytes]:
        """Keyed digests (HMAC-SHA256) of `content`, the active key's first."""
        keys, active = self.keys, self.active
        others = [key for key in keys.values() if key.id != active.id]
        return [key.digest(purpose, content) for key in (active, *others)]


def header_of(key_id: str) -> bytes:
    """What everything begins with that this key sealed."""
    name = key_id.encode()
    return _FORMAT + bytes([len(name)]) + name


def _signature(file: Path | None) -> tuple[int, int, int] | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


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


def read_document(path: Path) -> KeyringDocument:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise KeyringFault(f"{path} cannot be read") from None
    return parse_document(text, source=str(path))


def write_keyring(path: Path, *, generated: bool) -> None:
    """A new keyring file with one key that only its owner can read; never over an existing one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_id, secret = new_key()
    _write(path, KeyringDocument(active=key_id, keys={key_id: secret}, generated=generated))


def replace_document(path: Path, document: KeyringDocument) -> None:
    """Another keyring in the place of this one: whoever reads it finds one of them, whole."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    _write(beside, document)
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, document: KeyringDocument) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(document.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
