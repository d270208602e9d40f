"""Rotation of the keys: add, activate, reseal, retire, import.

Each step can be repeated after it was interrupted. A keyring that does not fit the data is refused
before anything is written.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, LargeBinary, delete, func
from sqlmodel import Session, SQLModel, col, select

from data.audit.chain import secret_location as audit_secret_location
from data.audit.chain import use_chain
from data.audit.events import record_event, write_events
from data.crypto import (
    Keyring,
    KeyringDocument,
    KeyringFault,
    SealBroken,
    header_of,
    new_key,
    read_document,
    replace_document,
)
from data.database import writing
from data.intake.sealed import contact_digests, note_location, open_request, request_location
from data.letter_receipts import receipt_location
from data.live_keyring import read_file
from data.notifications.webhooks import secret_location
from data.sealing_keys import register_key, require_genuine
from models.audit import COMMAND_LINE, Action, AuditSecret
from models.consultation_request import ConsultationRequest
from models.delivery import Delivery
from models.idempotency import IdempotencyRecord
from models.inbox import RequestNote
from models.sealing_key import SealingKey
from models.values import utc_now
from models.webhook import Webhook

_BATCH_ROWS = 100
# Between two batches, so that other writers do not wait long.
_PAUSE_SECONDS = 0.02
# Longer than any request takes: afterwards, no running request uses the old key.
_LONGEST_REQUEST = timedelta(minutes=1)


@dataclass(frozen=True)
class _SealedColumn:
    """A column of sealed values. `location` maps the id of a row to the location of its value."""

    table: type[SQLModel]
    column: str
    location: Callable[[str], str]

    @property
    def sealed(self) -> Any:
        return getattr(self.table, self.column)

    @property
    def id(self) -> Any:
        return self.table.id  # type: ignore[attr-defined] # each of these tables has an id


_SEALED_COLUMNS = (
    _SealedColumn(ConsultationRequest, "sealed", request_location),
    _SealedColumn(RequestNote, "sealed", note_location),
    _SealedColumn(Webhook, "sealed_secret", secret_location),
    _SealedColumn(Delivery, "sealed_receipt", receipt_location),
    _SealedColumn(AuditSecret, "sealed", audit_secret_location),
)


@dataclass
class Resealed:
    """The number of rows that were resealed, and the values that could not be opened."""

    done: int = 0
    damaged: list[SealBroken] = field(default_factory=list)


def add_key(session: Session, *, file: Path, strict: bool) -> str:
    """Adds a new key to the file, and returns its id. The active key stays the same.

    Raises `KeyringFault`.
    """
    document = read_file(session, file=file, strict=strict)
    use_chain(session, Keyring(document))
    key_id, secret = new_key()
    record_event(session, actor=COMMAND_LINE, action=Action.KEY_ADDED, subject=key_id)
    write_events(session)
    replace_document(file, _with_keys(document, {**document.keys, key_id: secret}))
    return key_id


def activate_newest(session: Session, *, file: Path, strict: bool) -> str:
    """Activates the newest key of the file, and returns its id. Raises `KeyringFault`."""
    document = read_file(session, file=file, strict=strict)
    newest = list(document.keys)[-1]
    if newest != document.active:
        document = document.model_copy(update={"active": newest})
        register_key(session, Keyring(document))
        use_chain(session, Keyring(document))
        record_event(session, actor=COMMAND_LINE, action=Action.KEY_ROTATED, subject=newest)
        write_events(session)
        replace_document(file, document)
    return newest


def import_keys(session: Session, *, file: Path, source: Path) -> list[str]:
    """Adds the keys of another file, so that their sealed values can be opened.

    Returns the ids of the added keys. The file may lack a key that the data needs: the import may
    add it. Raises `KeyringFault`.
    """
    document, other = read_document(file), read_document(source)
    here, there = Keyring(document).keys, Keyring(other).keys
    for key_id in here.keys() & there.keys():
        if here[key_id] != there[key_id]:
            raise KeyringFault(f"{source} has a different key with the id {key_id}")
    new = {key_id: secret for key_id, secret in other.keys.items() if key_id not in here}
    # Imported keys come first, because `activate_newest` takes the last key as the newest.
    merged = _with_keys(document, {**new, **document.keys})
    require_genuine(session, Keyring(merged))
    if new:
        use_chain(session, Keyring(merged))
        for key_id in new:
            record_event(session, actor=COMMAND_LINE, action=Action.KEY_IMPORTED, subject=key_id)
        write_events(session)
        replace_document(file, merged)
    return list(new)


def reseal(engine: Engine, *, keyring: Keyring) -> Iterator[Resealed]:
    """Reseals with the active key all values that another key sealed; yields after each batch.

    Each batch is one transaction. The stored answers of idempotency keys are left out: they are
    found by digests of the old key, and they expire.
    """
    for sealed in _SEALED_COLUMNS:
        after = ""
        while True:
            resealed = Resealed()
            with writing(engine) as session:
                rows: Sequence[Any] = session.exec(
                    select(sealed.table)
                    .where(
                        _sealed_by_other(sealed.sealed, keyring.active.id), col(sealed.id) > after
                    )
                    .order_by(col(sealed.id))
                    .limit(_BATCH_ROWS)
                    .with_for_update()
                ).all()
                for row in rows:
                    try:
                        _reseal(row, sealed, keyring)
                    except SealBroken as broken:
                        resealed.damaged.append(broken)
                        continue
                    session.add(row)
                    resealed.done += 1
            if not rows:
                break
            after = rows[-1].id
            yield resealed
            time.sleep(_PAUSE_SECONDS)


def _reseal(row: Any, sealed: _SealedColumn, keyring: Keyring) -> None:
    location = sealed.location(row.id)
    plaintext = keyring.unseal(getattr(row, sealed.column), location=location)
    setattr(row, sealed.column, keyring.seal(plaintext, location=location))
    if isinstance(row, ConsultationRequest):
        sent = open_request(row, keyring=keyring) or {}
        row.email_digest, row.phone_digest = contact_digests(
            keyring, email=sent.get("email"), phone=sent.get("phone")
        )


def retire_key(
    engine: Engine, *, file: Path, strict: bool, key_id: str, forget_answers: bool
) -> None:
    """Removes a key from the file. Raises `KeyringFault` if the key is still needed.

    `forget_answers` deletes the stored answers of idempotency keys that need the key.
    """
    with writing(engine) as session:
        document = read_file(session, file=file, strict=strict)
        if key_id == document.active:
            raise KeyringFault("it is the active key: run `keys add` and `keys rotate` first")
        if key_id not in document.keys:
            raise KeyringFault("there is no such key")
        active = session.get(SealingKey, document.active)
        if active is None or active.first_used_at > utc_now() - _LONGEST_REQUEST:
            raise KeyringFault("running requests may still use it: wait a minute")
        if any(count_sealed(session, key_id=key_id).values()):
            raise KeyringFault("it still seals something: run `keys rotate` again")
        answers = _sealed_by(IdempotencyRecord.sealed_answer, key_id)
        last = session.exec(select(func.max(IdempotencyRecord.expires_at)).where(answers)).one()
        if last is not None and not forget_answers:
            raise KeyringFault(
                f"answers to repeated requests need it until {last:%Y-%m-%d}; --forget-answers "
                "deletes them, and a repeated request is then stored a second time"
            )
        connection = session.connection()
        connection.execute(delete(IdempotencyRecord).where(answers))
        connection.execute(delete(SealingKey).where(col(SealingKey.id) == key_id))
        use_chain(session, Keyring(document))
        record_event(session, actor=COMMAND_LINE, action=Action.KEY_RETIRED, subject=key_id)
    # After the commit: if the commit failed, the data would still need the key.
    keys = {name: secret for name, secret in document.keys.items() if name != key_id}
    replace_document(file, _with_keys(document, keys))


def _with_keys(document: KeyringDocument, keys: dict[str, str]) -> KeyringDocument:
    return document.model_copy(update={"keys": keys})


def count_sealed(session: Session, *, key_id: str) -> dict[str, int]:
    """The number of values that a key sealed, by table; stored answers are not counted."""
    return {
        str(sealed.table.__tablename__): session.exec(
            select(func.count()).select_from(sealed.table).where(_sealed_by(sealed.sealed, key_id))
        ).one()
        for sealed in _SEALED_COLUMNS
    }


def _sealed_by(column: Any, key_id: str) -> ColumnElement[bool]:
    header = header_of(key_id)
    return func.substr(column, 1, len(header), type_=LargeBinary) == header


def _sealed_by_other(column: Any, key_id: str) -> ColumnElement[bool]:
    return col(column).is_not(None) & ~_sealed_by(column, key_id)
