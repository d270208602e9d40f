"""The hash chain of the audit: each event has a keyed hash over the previous hash and itself."""

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
# The digest of the events before the chain, if there are none.
NO_EVENTS = bytes(32)

_OPTION = "audit_chain"
_ROW = "audit"
_SECRET_BYTES = 32
_PAGE_ROWS = 1000


class ChainFault(Exception):
    """The chain cannot be continued. The message gives the reason in one line."""


class ChainNotOpen(Exception):
    """An event is recorded without `open_chain` or `use_chain`. This is a bug of the program."""


@dataclass(frozen=True)
class Chain:
    """The inputs of the hashes besides the events.

    `secret` has 32 bytes. `origin` is the digest of the events that are older than the chain.
    """

    secret: bytes = field(repr=False)
    # The first hash covers it instead of a previous hash.
    origin: bytes

    def link(self, previous: bytes | None, event: AuditEvent) -> bytes:
        """The hash of an event: HMAC-SHA256 (RFC 2104) over the previous hash and the event.

        `previous` is `None` for the first event of the chain.
        """
        before = self.origin if previous is None else previous
        return hmac.digest(self.secret, before + _canonical(event), "sha256")


def secret_location(row_id: str) -> str:
    return f"audit_secret.sealed:{row_id}"


def open_chain(engine: Engine, keyring: Keyring) -> None:
    """Allows all sessions of the engine to record events. Creates the secret if there is none.

    Raises `ChainFault` or `KeyringFault`.
    """
    with reading(engine) as session:
        chain = find_chain(session, keyring)
    if chain is None:
        with writing(engine) as session:
            chain = _find_or_create(session, keyring)
    engine.update_execution_options(**{_OPTION: chain})


def use_chain(session: Session, keyring: Keyring) -> None:
    """The same for one session only, with keys that may differ from those of `open_chain`."""
    session.info[_OPTION] = _find_or_create(session, keyring)


def chain_of(session: Session) -> Chain:
    """The chain that was opened for this session or its engine. Raises `ChainNotOpen`."""
    options = session.get_bind().get_execution_options()
    chain: Chain | None = session.info.get(_OPTION) or options.get(_OPTION)
    if chain is None:
        raise ChainNotOpen
    return chain


def find_chain(session: Session, keyring: Keyring) -> Chain | None:
    """The chain of this database; `None` if it has no secret yet. Raises `ChainFault`."""
    row = session.get(AuditSecret, _ROW)
    if row is None:
        _refuse_second_secret(session)
        return None
    try:
        opened = keyring.unseal(row.sealed, location=secret_location(_ROW))
    except SealBroken:
        raise ChainFault(
            "the secret of the audit cannot be opened: import its key with "
            "`python main.py keys import FILE`, or restore the table audit_secret from a backup"
        ) from None
    return Chain(opened[:_SECRET_BYTES], origin=opened[_SECRET_BYTES:])


def add_to_origin(origin: bytes, event: AuditEvent) -> bytes:
    """The digest (SHA-256) of the events before the chain after one more event.

    `origin` is the digest before that event; it begins with `NO_EVENTS`.
    """
    return hashlib.sha256(origin + _canonical(event)).digest()


def _find_or_create(session: Session, keyring: Keyring) -> Chain:
    found = find_chain(session, keyring)
    if found is not None:
        return found
    # In this order: every transaction takes the lock of the chain last.
    keyring = register_key(session, keyring)
    take_lock(session.connection(), CHAIN_LOCK)
    # Another process may have created the secret before this one got the lock.
    found = find_chain(session, keyring)
    if found is not None:
        return found
    query = select(AuditEvent).order_by(col(AuditEvent.id))
    events = session.exec(query.execution_options(yield_per=_PAGE_ROWS))
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
            "the secret of the audit is missing, and a new one would hide changed events: "
            "restore the table audit_secret from a backup"
        )


def _canonical(event: AuditEvent) -> bytes:
    """The JSON that is hashed. Any change of it would break all chains that exist."""
    content = {
        "id": event.id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "details": event.details,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
