"""The order in which a consultation request is decided before anybody reads what it says.

Each step is a dependency; `routes.py` names them in their order. The body stays
bytes until FastAPI validates it, after all of them (`api/http/bodies.py`): while the clinic is closed it
is never parsed.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from datetime import time as time_of_day
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api.dependencies import KeyringDep
from api.http.bodies import Parsed, require_json
from api.http.rates import AddressLimiter
from api.problems.catalogue import (
    ClinicPermanentlyClosed,
    IdempotencyKeyReused,
    IntakePaused,
    InvalidIdempotencyKey,
)
from data.crypto import Keyring
from data.database import reading
from data.documents.clinic import find_clinic
from data.documents.status import find_status
from data.intake.idempotency import Attempt, OtherBody, find_answer
from models.consultation_request import ConsultationRequestCreate
from models.status import ClinicStatus
from models.status_change import ConsultationMode
from models.values import utc_now

_QUOTED = re.compile('^"(.*)"$')
_KEY = re.compile(r"[\x21-\x7e]{8,255}")


class AlreadyAnswered(Exception):
    """This very request got its answer before; it is given again."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


class KeyLocks:
    """One lock for each idempotency key in use: a second sending waits for the first's answer."""

    def __init__(self) -> None:
        self._locks: dict[bytes, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, key: bytes) -> AsyncIterator[None]:
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)


async def hold_attempt(
    request: Request,
    keyring: KeyringDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            # Checked below, before the rate and the clinic's state have their say.
            json_schema_extra={"pattern": "^[!-~]{8,255}$"},
            description="Your own name for this request, 8 to 255 visible ASCII characters, such "
            "as a UUID. Sent again with the same bytes, it gets the first answer again.",
        ),
    ] = None,
) -> AsyncIterator[Attempt | None]:
    """Step 2: a known key with the same bytes gets the first answer, whatever changed since."""
    if idempotency_key is None:
        yield None
        return
    key = _QUOTED.sub(r"\1", idempotency_key, count=1)
    if not _KEY.fullmatch(key) or len(request.headers.getlist("Idempotency-Key")) > 1:
        raise InvalidIdempotencyKey
    attempt = Attempt.of(keyring, key=key, body=await request.body())
    async with request.app.state.key_locks.hold(attempt.key_digests[0]):
        await run_in_threadpool(_look_up, request, attempt, keyring)
        yield attempt


def _look_up(request: Request, attempt: Attempt, keyring: Keyring) -> None:
    # A session of its own: one that stayed open would hold up this request's own commit.
    with reading(request.app.state.engine) as session:
        refuse_second_attempt(session, attempt=attempt, keyring=keyring)


def refuse_second_attempt(session: Session, *, attempt: Attempt | None, keyring: Keyring) -> None:
    """Raises `AlreadyAnswered`, or `IdempotencyKeyReused` where the bytes are others."""
    if attempt is None:
        return
    try:
        answer = find_answer(session, attempt=attempt, keyring=keyring)
    except OtherBody:
        raise IdempotencyKeyReused from None
    if answer is not None:
        raise AlreadyAnswered(answer)


async def stay_within_rate(request: Request) -> dict[str, str]:
    """Step 3: so many requests from one address; the header fields that tell of it."""
    limiter: AddressLimiter = request.app.state.intake_limiter
    address = request.client.host if request.client else ""
    return await run_in_threadpool(limiter.hit, address) if limiter.waits else limiter.hit(address)


async def be_accepting(request: Request) -> None:
    """Step 4: the clinic's state, before the body is looked at.

    That it accepts is remembered as long as nothing was published; it is asked for again when the
    request is stored. A refusal is never given from memory.
    """
    state, kept = request.app.state, request.app.kept
    epoch = kept.epoch
    if kept.is_current and state.accepting_since == epoch:
        return
    await run_in_threadpool(_look_at_state, request)
    state.accepting_since = epoch


def _look_at_state(request: Request) -> None:
    with reading(request.app.state.engine) as session:
        require_accepting(session)


def require_accepting(session: Session) -> ClinicStatus:
    """The status under which a request is taken; raises `IntakePaused` or `ClinicPermanently…`."""
    status = find_status(session)
    if status.mode is ConsultationMode.CLOSED:
        raise ClinicPermanentlyClosed(
            extension={"data_stored": False, "closure": status.content.closure}
        )
    if not status.accepting:
        raise IntakePaused(headers=_retry_after(session, status), extension={"data_stored": False})
    return status


def _retry_after(session: Session, status: ClinicStatus) -> dict[str, str]:
    reopens_on = status.change.reopens_on
    if reopens_on is None:
        return {}
    time_zone = ZoneInfo(find_clinic(session).time_zone)
    opening = datetime.combine(reopens_on, time_of_day.min, time_zone)
    seconds = int((opening - utc_now()).total_seconds())
    return {"Retry-After": str(seconds)} if seconds > 0 else {}


AttemptDep = Annotated[Attempt | None, Depends(hold_attempt, scope="function")]
RateDep = Annotated[dict[str, str], Depends(stay_within_rate)]
RequestBody = Annotated[ConsultationRequestCreate, Parsed]
STEPS = [
    Depends(hold_attempt, scope="function"),
    Depends(stay_within_rate),
    Depends(be_accepting),
    Depends(require_json),
]
