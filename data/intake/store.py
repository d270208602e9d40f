"""Stores consultation requests, and returns the outcome of each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlmodel import Session

from data.crypto import Keyring
from data.database import take_lock
from data.documents.clinic import find_clinic
from data.documents.form import find_accepted_form, find_form_version
from data.documents.status import CLINIC_STATE, find_status
from data.intake.idempotency import KeyReused, Replayed, find_answer, lock_attempts
from data.intake.requests import NewRequest, record_requests
from models.consultation_request import ConsultationRequestAccepted
from models.delivery import Channel
from models.form_messages import served_messages
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
    """The request names a version of the form that is not accepted.

    `messages` is of the current one.
    """

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
    zone = find_clinic(session).zone
    return NotAccepting(status, datetime.combine(reopens_on, time.min, zone))


def store_requests(
    session: Session,
    new_requests: Sequence[NewRequest],
    *,
    keyring: Keyring,
    emails: Collection[Channel],
    form_grace: timedelta,
) -> list[Outcome]:
    """Stores each request that is not a repetition and is acceptable; returns all outcomes.

    A replaced version of the form is accepted for `form_grace`. Key, state and form version were
    checked before. They are checked again here, where locks prevent that another transaction
    changes them.
    """
    lock_attempts(session, attempts=[new.attempt for new in new_requests if new.attempt])
    take_lock(session.connection(), CLINIC_STATE, shared=True)
    outcomes: dict[int, Outcome] = {}
    for number, new in enumerate(new_requests):
        if new.attempt is not None:
            earlier = find_answer(session, attempt=new.attempt, keyring=keyring)
            if earlier is not None:
                outcomes[number] = earlier
    remaining = {n: new for n, new in enumerate(new_requests) if n not in outcomes}
    outcomes |= _store_remaining(session, remaining, keyring, emails, form_grace)
    return [outcomes[number] for number in range(len(new_requests))]


def _store_remaining(
    session: Session,
    remaining: Mapping[int, NewRequest],
    keyring: Keyring,
    emails: Collection[Channel],
    form_grace: timedelta,
) -> dict[int, Outcome]:
    if refusal := find_refusal(session):
        return dict.fromkeys(remaining, refusal)
    current = find_form_version(session)
    forms = {current.version: current}
    for version in {new.request.form_version for new in remaining.values()} - forms.keys():
        if form := find_accepted_form(session, version=version, grace=form_grace):
            forms[version] = form
    acceptable = {n: new for n, new in remaining.items() if new.request.form_version in forms}
    answers = record_requests(
        session,
        new_requests=list(acceptable.values()),
        status=find_status(session),
        current=current,
        forms=forms,
        keyring=keyring,
        emails=emails,
    )
    outcomes: dict[int, Outcome] = {
        n: Accepted(answer) for n, answer in zip(acceptable, answers, strict=True)
    }
    if len(acceptable) < len(remaining):
        outdated = FormOutdated(served_messages(current.content))
        outcomes |= dict.fromkeys(remaining.keys() - acceptable.keys(), outdated)
    return outcomes
