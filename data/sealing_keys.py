"""Records which keys the data was sealed with, and checks the keyring against this record."""

import hmac

from sqlmodel import Session, col, select

from data.crypto import Key, Keyring, KeyringFault
from data.database import take_lock
from models.sealing_key import SealingKey
from models.values import utc_now


def register_key(session: Session, keyring: Keyring) -> Keyring:
    """Records the active key as one that the data needs. Call it before sealing anything.

    Returns the keyring to seal with in this transaction: it stays the same even if its file
    changes. Raises `KeyringFault` if the keys do not fit the data.
    """
    keyring = keyring.snapshot()
    known = session.get(SealingKey, keyring.active.id)
    if known is None:
        # Two processes may use their first key at the same time, and may have different keys.
        take_lock(session.connection(), b"sealing_key")
        verify_keys(session, keyring)
        known = session.get(SealingKey, keyring.active.id)
    if known is None:
        session.add(
            SealingKey(
                id=keyring.active.id,
                check_value=_check_value(keyring.active),
                first_used_at=utc_now(),
            )
        )
    else:
        verify_key(keyring, key_id=known.id, check_value=known.check_value)
    return keyring


def has_sealed_data(session: Session) -> bool:
    return session.exec(select(SealingKey.id).limit(1)).first() is not None


def verify_keys(session: Session, keyring: Keyring) -> None:
    """Raises `KeyringFault` unless the keyring has every key that this database needs."""
    require_genuine(session, keyring)
    used = session.exec(select(SealingKey.id).order_by(col(SealingKey.id)))
    missing = [key_id for key_id in used if key_id not in keyring.keys]
    if missing:
        keys = "key" if len(missing) == 1 else "keys"
        verb = "is" if len(missing) == 1 else "are"
        raise KeyringFault(
            f"the data was sealed with {keys} {', '.join(missing)}, which {verb} not in the keyring"
        )


def require_genuine(session: Session, keyring: Keyring) -> None:
    """Raises `KeyringFault` if a key differs from the key that was used under the same id."""
    for known in session.exec(select(SealingKey)):
        if known.id in keyring.keys:
            verify_key(keyring, key_id=known.id, check_value=known.check_value)


def verify_key(keyring: Keyring, *, key_id: str, check_value: bytes) -> None:
    """Raises `KeyringFault` unless the keyring has the key that was used under this id."""
    key = keyring.keys.get(key_id)
    if key is None:
        raise KeyringFault(f"the data was sealed with key {key_id}, which is not in the keyring")
    if not hmac.compare_digest(check_value, _check_value(key)):
        raise KeyringFault(f"key {key_id} is not the one that the data was sealed with")


def _check_value(key: Key) -> bytes:
    return key.digest("check", key.id.encode())
