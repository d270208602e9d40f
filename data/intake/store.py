"""Stores consultation requests, and returns the outcome of each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session

from data.crypto import Keyring
from data.database import take_lock
from data.documents.clinic import find_clinic
from data.documents.form import find_words
from data.documents.status import CLINIC_STATE, find_status
from data.intake.idempotency import KeyReused, Replayed, find_answer, lock_attempts
from data.intake.requests import Sending, record_requests
from models.consultation_request import ConsultationRequestAccepted
from models.delivery import Channel
from models.status import ClinicStatus


@dataclass(frozen=True)
class Accepted:
    """The request is stored in this transaction."""

    answer: ConsultationRequestAccepted


@dataclass(frozen=True)
class NotAccepting:
    """The clinic takes no requests. `reopens_at` is `None` without a reopening day."""

    status: ClinicStatus
    reopens_at: datetime | None


@dataclass(frozen=True)
class FormOutdated:
    """The request was made with another version of the form; `messages` is of the current one."""

    messages: Mapping[str, str]


Outcome = Accepted | Replayed | KeyReused | NotAccepting | FormOutdated


def find_refusal(session: Session) -> NotAccepting | None:
    """Why the clinic takes no requests now; `None` if it takes them. Raises `NotLoaded`."""
    status = find_status(session)
    if status.accepting:
        return None
    reopens_on = status.change.reopens_on
    if reopens_on is None:
        return NotAccepting(status, None)
    zone = ZoneInfo(find_clinic(session).time_zone)
    return NotAccepting(status, datetime.combine(reopens_on, time.min, zone))


def store_requests(
    session: Session,
    sendings: Sequence[Sending],
    *,
    keyring: Keyring,
    emails: Collection[Channel],
) -> list[Outcome]:
    """Stores the new and valid ones of `sendings`, and returns an outcome for each.

    Key, state and form version were checked before. They are checked again here, where locks
    prevent that another transaction changes them.
    """
    lock_attempts(session, attempts=[s.attempt for s in sendings if s.attempt])
    take_lock(session.connection(), CLINIC_STATE, shared=True)
    outcomes: dict[int, Outcome] = {}
    for number, sending in enumerate(sendings):
        if sending.attempt is not None:
            earlier = find_answer(session, attempt=sending.attempt, keyring=keyring)
            if earlier is not None:
                outcomes[number] = earlier
    new = {n: sending for n, sending in enumerate(sendings) if n not in outcomes}
    outcomes |= _store_new(session, new, keyring, emails)
    return [outcomes[number] for number in range(len(sendings))]


def _store_new(
    session: Session, sendings: Mapping[int, Sending], keyring: Keyring, emails: Collection[Channel]
) -> dict[int, Outcome]:
    if refusal := find_refusal(session):
        return dict.fromkeys(sendings, refusal)
    form = find_words(session)
    current = {n: s for n, s in sendings.items() if s.request.form_version == form.version}
    answers = record_requests(
        session,
        sendings=list(current.values()),
        status=find_status(session),
        form=form,
        keyring=keyring,
        emails=emails,
    )
    accepted = {n: Accepted(answer) for n, answer in zip(current, answers, strict=True)}
    return {**dict.fromkeys(sendings, FormOutdated(form.messages)), **accepted}
