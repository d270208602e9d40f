"""The steps of a consultation request before its body is parsed.

`IntakeRoute` checks the query and the idempotency key. The dependencies in `STEPS` then check the
rate, the clinic's state and the media type. FastAPI parses and validates the body after all of
them (`api/http/bodies.py`), so a closed clinic never parses it.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool

from api.dependencies import get_keyring
from api.http.bodies import BodyRoute, Parsed, UnparsedRequest, require_json
from api.http.queries import refuse_unknown_parameters
from api.intake.outcomes import answer_to
from api.intake.validation import problem_of
from api.problems.catalogue import InvalidIdempotencyKey
from api.runtime import OpenIntake, runtime_of
from data.crypto import Keyring
from data.database import reading
from data.documents.clinic import find_clinic
from data.documents.form import find_form_version
from data.intake.idempotency import Attempt, KeyReused, Replayed, find_answer
from data.intake.store import find_refusal
from models.sent_request import ConsultationRequestCreate

_QUOTED = re.compile('^"(.*)"$')
_KEY = re.compile(r"[\x21-\x7e]{8,255}")


class IntakeRoute(BodyRoute):
    """Answers a known idempotency key with its first answer, even if the clinic closed since.

    The 422 of an invalid body is made here, with the sentences of the clinic's form.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle_unparsed = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handle_unparsed(request)
            except RequestValidationError as error:
                # Without the cause: its text contains what a person typed.
                raise await problem_of(request, error) from None

        async def handle_once(request: Request) -> Response:
            await refuse_unknown_parameters(request)
            request = UnparsedRequest(request.scope, request.receive)
            keyring = await get_keyring(request)
            attempt = await _read_attempt(request, keyring)
            if attempt is None:
                return await handle(request)
            async with runtime_of(request).key_locks.locked(attempt.key_digests[0]):
                earlier = await run_in_threadpool(_find_earlier_answer, request, attempt, keyring)
                if earlier is not None:
                    return answer_to(earlier)
                request.state.attempt = attempt
                return await handle(request)

        return handle_once


async def _read_attempt(request: Request, keyring: Keyring) -> Attempt | None:
    given = request.headers.getlist("Idempotency-Key")
    if not given:
        return None
    key = _QUOTED.sub(r"\1", given[0], count=1)
    if not _KEY.fullmatch(key) or len(given) > 1:
        raise InvalidIdempotencyKey
    return Attempt.of(keyring, key=key, body=await request.body())


def _find_earlier_answer(
    request: Request, attempt: Attempt, keyring: Keyring
) -> Replayed | KeyReused | None:
    # In its own session: an open reader would block the commit of this request on SQLite.
    with reading(runtime_of(request).engine) as session:
        return find_answer(session, attempt=attempt, keyring=keyring)


async def get_attempt(
    request: Request,
    _idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            # Only for the document: `IntakeRoute` checks it before the other steps.
            json_schema_extra={"pattern": "^[!-~]{8,255}$"},
            description="A unique key for this request, such as a UUID: 8 to 255 visible ASCII "
            "characters. A repetition with the same key and the same body gets the first answer "
            "again.",
        ),
    ] = None,
) -> Attempt | None:
    attempt: Attempt | None = getattr(request.state, "attempt", None)
    return attempt


async def check_rate(request: Request) -> dict[str, str]:
    """Counts the request for its address; returns the header fields of the rate limit.

    Raises `TooManyRequests`.
    """
    limiter = runtime_of(request).intake_limiter
    address = request.client.host if request.client else ""
    if limiter.may_block:
        return await run_in_threadpool(limiter.hit, address)
    return limiter.hit(address)


async def check_accepting(request: Request) -> None:
    """Checks that the clinic accepts requests, and sets `request.state.intake`.

    Raises `ClinicPermanentlyClosed` or `IntakePaused`. A positive result is remembered until the
    content changes, and is checked again when the request is stored. A negative result is not
    remembered.
    """
    runtime, cache = runtime_of(request), request.app.answer_cache
    epoch, known = cache.epoch, runtime.open_intake
    if known is None or known.epoch != epoch or not cache.is_current:
        known = await run_in_threadpool(_require_accepting, request, epoch)
        runtime.open_intake = known
    request.state.intake = known


def _require_accepting(request: Request, epoch: int) -> OpenIntake:
    """The current form. Raises the problem if the clinic accepts no requests."""
    with reading(runtime_of(request).engine) as session:
        refusal = find_refusal(session)
        form, clinic = find_form_version(session), find_clinic(session)
        intake = OpenIntake(epoch, form, country=clinic.country, locale=clinic.locales[0])
    if refusal is not None:
        answer_to(refusal)
    return intake


AttemptDep = Annotated[Attempt | None, Depends(get_attempt)]
RateDep = Annotated[dict[str, str], Depends(check_rate)]
RequestBody = Annotated[ConsultationRequestCreate, Parsed]
STEPS = [Depends(check_rate), Depends(check_accepting), Depends(require_json)]
