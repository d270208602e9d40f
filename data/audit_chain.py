"""The hash chain of the audit: its secret, and the link from each event to the next."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC
from functools import reduce

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.crypto import Keyring, SealBroken
from data.database import reading, take_lock, writing
from data.sealing_keys import register_key
from models.audit import AuditEvent, AuditSecret

CHAIN_LOCK = b"audit_chain"
# The digest of the events before the chain where there are none.
NO_EVENTS = bytes(32)

_OPTION = "audit_chain"
_ROW = "audit"
_SECRET_BYTES = 32
_AT_ONCE = 1000


class ChainFault(Exception):
    """The chain cannot be continued; the text says why in one line."""


class ChainNotOpen(Exception):
    """The program records an event without `open_chain` or `use_chain`: a fault of the program."""


@dataclass(frozen=True)
class Chain:
    """What links events: a secret of 32 bytes, and the digest of the events before the chain."""

    secret: bytes = field(repr=False)
    # The first link covers it in place of the hash before.
    origin: bytes

    def link(self, previous: bytes | None, event: AuditEvent) -> bytes:
        """The hash of an event: HMAC-SHA256 (RFC 2104) over the previous hash and the event.

        `previous` is `None` for the first link.
        """
        before = self.origin if previous is None else previous
        return hmac.digest(self.secret, before + _canonical(event), "sha256")


def secret_location(row_id: str) -> str:
    return f"audit_secret.sealed:{row_id}"


def open_chain(engine: Engine, keyring: Keyring) -> None:
    """Lets every session of the engine record events; makes the secret where there is none.

    Raises `ChainFault` and `KeyringFault`.
    """
    with reading(engine) as session:
        chain = find_chain(session, keyring)
    if chain is None:
        with writing(engine) as session:
            chain = _find_or_make(session, keyring)
    engine.update_execution_options(**{_OPTION: chain})


def use_chain(session: Session, keyring: Keyring) -> None:
    """The same for one session, with keys that the engine was not opened with."""
    session.info[_OPTION] = _find_or_make(session, keyring)


def chain_of(session: Session) -> Chain:
    """The chain that was opened for this session or its engine; raises `ChainNotOpen`."""
    options = session.get_bind().get_execution_options()
    chain: Chain | None = session.info.get(_OPTION) or options.get(_OPTION)
    if chain is None:
        raise ChainNotOpen
    return chain


def find_chain(session: Session, keyring: Keyring) -> Chain | None:
    """The chain of this database, `None` before its secret was made; raises `ChainFault`."""
    row = session.get(AuditSecret, _ROW)
    if row is None:
        _refuse_second_secret(session)
        return None
    try:
        opened = keyring.unseal(row.sealed, location=secret_location(_ROW))
    except SealBroken:
        raise ChainFault(
            "the secret of the audit cannot be opened: bring in its key with "
            "`python main.py keys import FILE`, or restore the table audit_secret from a backup"
        ) from None
    return Chain(opened[:_SECRET_BYTES], origin=opened[_SECRET_BYTES:])


def add_to_origin(origin: bytes, event: AuditEvent) -> bytes:
    """The digest (SHA-256) of the events before the chain, with one more; `NO_EVENTS` at first."""
    return hashlib.sha256(origin + _canonical(event)).digest()


def _find_or_make(session: Session, keyring: Keyring) -> Chain:
    found = find_chain(session, keyring)
    if found is not None:
        return found
    # In this order: a transaction that records an event takes the lock of the chain last.
    keyring = register_key(session, keyring)
    take_lock(session.connection(), CHAIN_LOCK)
    # Another process may have made it meanwhile.
    found = find_chain(session, keyring)
    if found is not None:
        return found
    query = select(AuditEvent).order_by(col(AuditEvent.id))
    events = session.exec(query.execution_options(yield_per=_AT_ONCE))
    origin = reduce(add_to_origin, events, NO_EVENTS)
    chain = Chain(secrets.token_bytes(_SECRET_BYTES), origin=origin)
    sealed = keyring.seal(chain.secret + chain.origin, location=secret_location(_ROW))
    session.add(AuditSecret(id=_ROW, sealed=sealed))
    session.flush()
    return chain


def _refuse_second_secret(session: Session) -> None:
    linked = select(AuditEvent.id).where(col(AuditEvent.hash).is_not(None))
    if session.exec(linked.limit(1)).first() is not None:
        raise ChainFault(
            "the secret of the audit is gone, and a second one would hide what was changed: "
            "restore the table audit_secret from a backup"
        )


def _canonical(event: AuditEvent) -> bytes:
    content = {
        "id": event.id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "details": event.details,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
