"""Checks a consultation request against the form that it names."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool

from api.http import strict_json
from api.problems.catalogue import InvalidRequest, Problem
from api.problems.validation import OUTDATED, faults_of, invalid_request
from api.runtime import OpenIntake, runtime_of
from data.database import reading
from data.documents.form import find_accepted_form
from models.consultation_form import FormContent, FormVersion
from models.form_messages import served_messages
from models.form_ui import form_ui
from models.request_check import check_request, complete_request
from models.sent_request import ConsultationRequestCreate
from models.values import BodyFaults

_MAX_REMEMBERED = 100


async def require_valid(
    request: Request, sent: ConsultationRequestCreate
) -> ConsultationRequestCreate:
    """The request as it is stored. Raises `InvalidRequest` with all faults."""
    intake: OpenIntake = request.state.intake
    form, faults = await _check(request, sent.model_dump())
    if faults.found or faults.more_unknown:
        raise _refusal(faults, form.content)
    return complete_request(sent, form=form.content, country=intake.country, locale=intake.locale)


async def problem_of(request: Request, error: RequestValidationError) -> Problem:
    """The problem for a request that its own model refused, with the faults of the form too.

    A person then corrects everything at once.
    """
    faults = faults_of(error)
    if isinstance(faults, Problem):
        return faults
    body = strict_json.parse(error.body) if isinstance(error.body, bytes) else error.body
    form, more = await _check(request, body if isinstance(body, dict) else None)
    known = {pointer for pointer, _ in faults.found}
    faults.found += [fault for fault in more.found if fault[0] not in known]
    faults.more_unknown |= more.more_unknown
    return _refusal(faults, form.content)


def _refusal(faults: BodyFaults, form: FormContent) -> InvalidRequest:
    """The problem, with the faults in the order of the form."""
    positions = {name: position for position, name in enumerate(form_ui(form).order)}
    faults.found.sort(
        key=lambda fault: positions.get(
            fault[0].removeprefix("#/").replace("/", "."), len(positions)
        )
    )
    return invalid_request(faults, messages=served_messages(form))


async def _check(
    request: Request, sent: Mapping[str, object] | None
) -> tuple[FormVersion, BodyFaults]:
    """The form of a request, and its faults; of the current form if it names no accepted one."""
    intake: OpenIntake = request.state.intake
    if sent is None:
        return intake.form, BodyFaults()
    version = sent.get("form_version")
    is_number = type(version) is int
    form = await _find_form(request, version) if isinstance(version, int) and is_number else None
    faults = check_request(sent, form=(form or intake.form).content, country=intake.country)
    if is_number and form is None:
        faults.found.append(OUTDATED)
    return form or intake.form, faults


async def _find_form(request: Request, version: int) -> FormVersion | None:
    """The version of this number, if it is accepted. The database is read once for each number."""
    intake: OpenIntake = request.state.intake
    if version == intake.form.version:
        return intake.form
    if version not in intake.others:
        form = await run_in_threadpool(_read_form, request, version)
        if form is None and len(intake.others) >= _MAX_REMEMBERED:
            return None
        intake.others[version] = form
    return intake.others[version]


def _read_form(request: Request, version: int) -> FormVersion | None:
    runtime = runtime_of(request)
    with reading(runtime.engine) as session:
        return find_accepted_form(session, version=version, grace=runtime.settings.form_grace)
