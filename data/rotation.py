"""From one key to the next: add, rotate, retire; each can be killed and done again."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, LargeBinary, delete, func
from sqlmodel import Session, SQLModel, col, select

from data.audit import record_event
from data.consultation_requests import contact_digests, open_request, request_place
from data.crypto import (
    Keyring,
    KeyringFault,
    header_of,
    new_key,
    read_document,
    replace_document,
)
from data.database import reading, writing
from data.inbox import note_place
from data.letter_receipts import receipt_place
from data.sealing_keys import register_key
from data.webhooks import secret_place
from models.audit import COMMAND_LINE, Action
from models.consultation_request import ConsultationRequest
from models.delivery import Delivery
from models.idempotency import IdempotencyRecord
from models.inbox import RequestNote
from models.sealing_key import SealingKey
from models.values import utc_now
from models.webhook import Webhook

_AT_ONCE = 100
# Others who write have their turn in between.
_PAUSE_SECONDS = 0.02
# A request that was begun under the old key has ended by then.
_UNDER_WAY = timedelta(minutes=1)


@dataclass(frozen=True)
class _Shelf:
    """A table of sealed things: the column, and the place that each of them opens in."""

    table: type[SQLModel]
    column: str
    place: Callable[[str], str]

    @property
    def sealed(self) -> Any:
        return getattr(self.table, self.column)

    @property
    def id(self) -> Any:
        return self.table.id  # type: ignore[attr-defined] # each of them has one


_SHELVES = (
    _Shelf(ConsultationRequest, "sealed", request_place),
    _Shelf(RequestNote, "sealed", note_place),
    _Shelf(Webhook, "sealed_secret", secret_place),
    _Shelf(Delivery, "sealed_receipt", receipt_place),
)


def add_key(session: Session, *, file: Path) -> str:
    """A fresh key in the file, which nothing is sealed with yet; its id."""
    document = read_document(file)
    key_id, secret = new_key()
    record_event(session, actor=COMMAND_LINE, action=Action.KEY_ADDED, subject=key_id)
    session.flush()
    replace_document(file, document.model_copy(update={"keys": {**document.keys, key_id: secret}}))
    return key_id


def activate_newest(engine: Engine, *, file: Path) -> str:
    """From now on the newest key seals; its id."""
    document = read_document(file)
    newest = list(document.keys)[-1]
    if newest != document.active:
        document = document.model_copy(update={"active": newest})
        with writing(engine) as session:
            # It is known to the database before anything is sealed with it.
            register_key(session, Keyring(document))
            record_event(session, actor=COMMAND_LINE, action=Action.KEY_ROTATED, subject=newest)
        replace_document(file, document)
    return newest


def reseal(engine: Engine, *, keyring: Keyring) -> Iterator[int]:
    """Seals with the active key whatever another one sealed; yields how many, time after time.

    Answers that are kept for a retry are not: their digests are the old key's, and they expire.
    """
    for shelf in _SHELVES:
        after = ""
        while True:
            with writing(engine) as session:
                rows: Sequence[Any] = session.exec(
                    select(shelf.table)
                    .where(_by_others(shelf.sealed, keyring.active.id), col(shelf.id) > after)
                    .order_by(col(shelf.id))
                    .limit(_AT_ONCE)
                    .with_for_update()
                ).all()
                for row in rows:
                    _reseal(row, shelf, keyring)
                    session.add(row)
            if not rows:
                break
            after = rows[-1].id
            yield len(rows)
            time.sleep(_PAUSE_SECONDS)


def _reseal(row: Any, shelf: _Shelf, keyring: Keyring) -> None:
    place = shelf.place(row.id)
    plaintext = keyring.unseal(getattr(row, shelf.column), place=place)
    setattr(row, shelf.column, keyring.seal(plaintext, place=place))
    if isinstance(row, ConsultationRequest):
        sent = open_request(row, keyring=keyring) or {}
        row.email_digest, row.phone_digest = contact_digests(
            keyring, email=sent.get("email"), phone=sent.get("phone")
        )


def retire_key(engine: Engine, *, file: Path, key_id: str, forget_answers: bool) -> None:
    """Takes a key away that nothing needs any more; raises `KeyringFault` where something does."""
    document = read_document(file)
    if key_id == document.active:
        raise KeyringFault("it is the active key: run `keys add` and `keys rotate` first")
    if key_id not in document.keys:
        raise KeyringFault("there is no such key")
    with writing(engine) as session:
        active = session.get(SealingKey, document.active)
        if active is None or active.first_used_at > utc_now() - _UNDER_WAY:
            raise KeyringFault("requests that are under way may still use it: wait a minute")
        if any(count_sealed(session, key_id=key_id).values()):
            raise KeyringFault("it still seals something: run `keys rotate` again")
        answers = _sealed_by(IdempotencyRecord.sealed_answer, key_id)
        last = session.exec(select(func.max(IdempotencyRecord.expires_at)).where(answers)).one()
        if last is not None and not forget_answers:
            raise KeyringFault(
                f"answers kept for a retry need it until {last:%Y-%m-%d}; with --forget-answers, a "
                "retry after that is stored a second time"
            )
        connection = session.connection()
        connection.execute(delete(IdempotencyRecord).where(answers))
        connection.execute(delete(SealingKey).where(col(SealingKey.id) == key_id))
        record_event(session, actor=COMMAND_LINE, action=Action.KEY_RETIRED, subject=key_id)
    keys = {name: secret for name, secret in document.keys.items() if name != key_id}
    replace_document(file, document.model_copy(update={"keys": keys}))


def count_sealed(session: Session, *, key_id: str) -> dict[str, int]:
    """How much of each table a key seals, answers kept for a retry aside."""
    return {
        str(shelf.table.__tablename__): session.exec(
            select(func.count()).select_from(shelf.table).where(_sealed_by(shelf.sealed, key_id))
        ).one()
        for shelf in _SHELVES
    }


def list_keys(engine: Engine, *, file: Path) -> list[tuple[str, bool, int]]:
    """Each key of the file: its id, whether it is active, how much it seals."""
    document = read_document(file)
    with reading(engine) as session:
        return [
            (key_id, key_id == document.active, sum(count_sealed(session, key_id=key_id).values()))
            for key_id in document.keys
        ]


def _sealed_by(column: Any, key_id: str) -> ColumnElement[bool]:
    header = header_of(key_id)
    return func.substr(column, 1, len(header), type_=LargeBinary) == header


def _by_others(column: Any, key_id: str) -> ColumnElement[bool]:
    return col(column).is_not(None) & ~_sealed_by(column, key_id)
