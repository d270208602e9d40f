"""How requests that were checked are stored: those that wait at the same time, together."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial

from sqlalchemy import Engine
from sqlmodel import Session

from api.intake.steps import AlreadyAnswered, refuse_second_attempt, require_accepting
from api.lane import Lane
from api.problems.catalogue import ClinicPermanentlyClosed, IdempotencyKeyReused, IntakePaused
from api.problems.validation import OUTDATED, invalid_request
from data.crypto import Keyring
from data.database import hold, writing
from data.documents.form import find_words
from data.documents.status import CLINIC_STATE
from data.intake.idempotency import hold_attempts
from data.intake.requests import Sending, record_requests
from models.consultation_request import ConsultationRequestAccepted
from models.delivery import Channel

IntakeLane = Lane[Sending, ConsultationRequestAccepted]


def open_lane(
    engine: Engine, *, keyring: Keyring, emails: Collection[Channel], writers: asyncio.Semaphore
) -> IntakeLane:
    return Lane(partial(_store_together, engine, keyring, emails), writers=writers)


def _store_together(
    engine: Engine, keyring: Keyring, emails: Collection[Channel], sendings: Sequence[Sending]
) -> list[ConsultationRequestAccepted | Exception]:
    """Step 6: one transaction for all of them; each gets its answer, or why it has none.

    What was looked at before is looked at again: here nobody else changes it.
    """
    outcomes: dict[int, ConsultationRequestAccepted | Exception] = {}
    with writing(engine) as session:
        hold_attempts(session, attempts=[s.attempt for s in sendings if s.attempt])
        hold(session.connection(), CLINIC_STATE, shared=True)
        for number, sending in enumerate(sendings):
            try:
                refuse_second_attempt(session, attempt=sending.attempt, keyring=keyring)
            except (AlreadyAnswered, IdempotencyKeyReused) as answered:
                outcomes[number] = answered
        left = [number for number in range(len(sendings)) if number not in outcomes]
        outcomes |= _store(session, keyring, emails, {n: sendings[n] for n in left})
    return [outcomes[number] for number in range(len(sendings))]


def _store(
    session: Session, keyring: Keyring, emails: Collection[Channel], sendings: dict[int, Sending]
) -> dict[int, ConsultationRequestAccepted | Exception]:
    try:
        status = require_accepting(session)
    except (IntakePaused, ClinicPermanentlyClosed) as refusal:
        return dict.fromkeys(sendings, refusal)
    form = find_words(session)
    outdated = [n for n, s in sendings.items() if s.request.form_version != form.version]
    current = [n for n in sendings if n not in outdated]
    answers = record_requests(
        session,
        sendings=[sendings[number] for number in current],
        status=status,
        form=form,
        keyring=keyring,
        emails=emails,
    )
    refusals = {n: invalid_request([OUTDATED], messages=form.messages) for n in outdated}
    return {**dict(zip(current, answers, strict=True)), **refusals}
