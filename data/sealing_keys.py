"""Which keys the data was sealed with."""

import hmac

from sqlmodel import Session, select

from data.crypto import Key, Keyring, KeyringFault
from data.database import hold
from models.sealing_key import SealingKey
from models.values import utc_now


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
        verify_key(keyring, key_id=known.id, check_value=known.check_value)


def verify_key(keyring: Keyring, *, key_id: str, check_value: bytes) -> None:
    """Raises `KeyringFault` unless the keyring has this key, and it is the same one."""
    key = keyring.keys.get(key_id)
    if key is None:
        raise KeyringFault(f"the data was sealed with key {key_id}, which is not here")
    if not hmac.compare_digest(check_value, _check_value(key)):
        raise KeyringFault(f"key {key_id} is not the one that the data was sealed with")


def _check_value(key: Key) -> bytes:
    return key.digest("check", key.id.encode())
