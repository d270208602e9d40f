"""The steps that decide on a consultation request before its body is parsed.

The first one is the route's own (`IntakeRoute`): it answers a known idempotency key again. The
others are dependencies; `routes.py` names them in their order. The body stays bytes until FastAPI
validates it, after all of them (`api/http/bodies.py`): a closed clinic never parses it. The 422 of
an invalid body has the sentences of the clinic's form, which the check of the clinic's state read.
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
from api.problems.catalogue import InvalidIdempotencyKey
from api.problems.validation import problem_for
from api.runtime import OpenIntake, runtime_of
from data.crypto import Keyring
from data.database import reading
from data.documents.form import find_form_texts
from data.intake.idempotency import Attempt, KeyReused, Replayed, find_answer
from data.intake.store import find_refusal
from models.consultation_form import ConsultationFormCreate
from models.consultation_request import ConsultationRequestCreate

_QUOTED = re.compile('^"(.*)"$')
_KEY = re.compile(r"[\x21-\x7e]{8,255}")


class IntakeRoute(BodyRoute):
    """Step 2: a known key with the same bytes gets its first answer, whatever changed since.

    An invalid body gets its 422 here, with the sentences of the clinic's form.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle_unworded = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handle_unworded(request)
            except RequestValidationError as error:
                # Without its cause: the text of the cause repeats what a person typed.
                raise problem_for(error, form=request.state.form) from None

        async def handle_once(request: Request) -> Response:
            await refuse_unknown_parameters(request)
            request = UnparsedRequest(request.scope, request.receive)
            keyring = await get_keyring(request)
            attempt = await _read_attempt(request, keyring)
            if attempt is None:
                return await handle(request)
            async with runtime_of(request).key_locks.locked(attempt.key_digests[0]):
                earlier = await run_in_threadpool(_find_earlier, request, attempt, keyring)
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


def _find_earlier(
    request: Request, attempt: Attempt, keyring: Keyring
) -> Replayed | KeyReused | None:
    # A session of its own: one that stayed open would hold up this request's own commit.
    with reading(runtime_of(request).engine) as session:
        return find_answer(session, attempt=attempt, keyring=keyring)


async def get_attempt(
    request: Request,
    _idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            # Checked by `IntakeRoute`, before the other steps.
            json_schema_extra={"pattern": "^[!-~]{8,255}$"},
            description="Your own name for this request, 8 to 255 visible ASCII characters, such "
            "as a UUID. Sent again with the same bytes, it gets the first answer again.",
        ),
    ] = None,
) -> Attempt | None:
    attempt: Attempt | None = getattr(request.state, "attempt", None)
    return attempt


async def stay_within_rate(request: Request) -> dict[str, str]:
    """Step 3: the rate of one address; returns the header fields that tell of it."""
    limiter = runtime_of(request).intake_limiter
    address = request.client.host if request.client else ""
    return await run_in_threadpool(limiter.hit, address) if limiter.waits else limiter.hit(address)


async def be_accepting(request: Request) -> None:
    """Step 4: the clinic's state, before the body is parsed; sets `request.state.form`.

    That the clinic accepts, and its form, are remembered until something is published; both are
    checked again when the request is stored. A refusal is never given from memory.
    """
    runtime, kept = runtime_of(request), request.app.kept
    epoch, known = kept.epoch, runtime.open_intake
    if known is None or known.epoch != epoch or not kept.is_current:
        form = await run_in_threadpool(_require_accepting, request)
        known = runtime.open_intake = OpenIntake(epoch, form)
    request.state.form = known.form


def _require_accepting(request: Request) -> ConsultationFormCreate:
    """The current form; raises the problem where the clinic takes no request."""
    with reading(runtime_of(request).engine) as session:
        refusal = find_refusal(session)
        form = find_form_texts(session)
    if refusal is not None:
        answer_to(refusal)
    return form


AttemptDep = Annotated[Attempt | None, Depends(get_attempt)]
RateDep = Annotated[dict[str, str], Depends(stay_within_rate)]
RequestBody = Annotated[ConsultationRequestCreate, Parsed]
STEPS = [Depends(stay_within_rate), Depends(be_accepting), Depends(require_json)]
