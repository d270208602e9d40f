"""Keys, sealing and keyed digests."""

import base64
import hashlib
import hmac
import json
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
from sqlmodel import Session, select

from data.database import hold
from models.consultation_request import SealingKey
from models.values import utc_now

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
    """All keys that may be needed to read, and the active one, which seals."""

    def __init__(self, document: KeyringDocument) -> None:
        self.generated = document.generated
        self.keys = {
            key_id: Key(key_id, base64.b64decode(secret))
            for key_id, secret in document.keys.items()
        }
        self.active = self.keys[document.active]

    def seal(self, plaintext: bytes, *, place: str) -> bytes:
        """AES-256-GCM: format, key id, nonce, ciphertext; it opens in its `place` only."""
        key_id = self.active.id.encode()
        header = _FORMAT + bytes([len(key_id)]) + key_id
        return self.active.seal(plaintext, header, place)

    def unseal(self, sealed: bytes, *, place: str) -> bytes:
        try:
            end = 2 + sealed[1]
            key = self.keys[sealed[2:end].decode()]
            return key.unseal(sealed[end:], sealed[:end], place)
        except (IndexError, KeyError, UnicodeDecodeError, ValueError, InvalidTag):
            raise SealBroken from None

    def digests(self, purpose: str, content: bytes) -> list[bytes]:
        """Keyed digests (HMAC-SHA256) of `content`, the active key's first."""
        others = [key for key in self.keys.values() if key is not self.active]
        return [key.digest(purpose, content) for key in (self.active, *others)]


def new_keyring(*, generated: bool) -> str:
    """The text of a keyring with one fresh key."""
    key_id = f"{utc_now():%Y%m%d}-{secrets.token_hex(3)}"
    secret = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    document = KeyringDocument(active=key_id, keys={key_id: secret}, generated=generated)
    return document.model_dump_json(indent=2) + "\n"


def read_keyring(text: str, *, source: str) -> Keyring:
    try:
        return Keyring(KeyringDocument.model_validate(json.loads(text)))
    except (ValidationError, ValueError, RecursionError):
        raise KeyringFault(
            f"{source} holds no valid keyring (`main.py keys create FILE` makes one)"
        ) from None


def write_keyring(path: Path, *, generated: bool) -> None:
    """A new keyring file that only its owner can read; never over an existing one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_keyring(generated=generated))
        file.flush()
        os.fsync(file.fileno())


def register_key(session: Session, keyring: Keyring) -> None:
    """Notes, in the transaction that seals something, which key that needs."""
    known = session.get(SealingKey, keyring.active.id)
    if known is None:
        # Two processes may seal something for the first time at once.
        hold(session.connection(), b"sealing_key")
        known = session.get(SealingKey, keyring.active.id)
    if known is None:
        session.add(
            SealingKey(
                id=keyring.active.id,
                check_value=_check_value(keyring.active),
                first_used_at=utc_now(),
            )
        )
    elif not hmac.compare_digest(known.check_value, _check_value(keyring.active)):
        raise KeyringFault(f"key {keyring.active.id} is not the one that the data was sealed with")


def has_sealed_data(session: Session) -> bool:
    return session.exec(select(SealingKey.id).limit(1)).first() is not None


def verify_keys(session: Session, keyring: Keyring) -> None:
    """Raises `KeyringFault` unless everything that was sealed here can be opened."""
    for known in session.exec(select(SealingKey)):
        key = keyring.keys.get(known.id)
        if key is None:
            raise KeyringFault(f"the data was sealed with key {known.id}, which is not here")
        if not hmac.compare_digest(known.check_value, _check_value(key)):
            raise KeyringFault(f"key {known.id} is not the one that the data was sealed with")


def _check_value(key: Key) -> bytes:
    return key.digest("check", key.id.encode())
