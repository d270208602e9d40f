"""A program that uses the client of openapi-python-client, with the types of the document.

SERVICE is the URL of the service, TOKEN a staff token. Each call returns the documented answer or a
problem; the program has to distinguish them.
"""

import os
from datetime import UTC, datetime
from typing import TypeVar

from client import AuthenticatedClient, Client
from client.api.clinic import read_status
from client.api.consultation_requests import (
    create_consultation_request,
    read_consultation_request,
    read_consultation_request_form,
    withdraw_consultation_request,
)
from client.api.content import list_faqs, read_section
from client.api.staff import (
    call_off_status_change,
    change_consultation_request,
    create_status_change,
    list_staff_status_changes,
    open_consultation_request,
)
from client.models import (
    ClinicState,
    ConsultationFormPublic,
    ConsultationRequestAccepted,
    ConsultationRequestCreate,
    FAQList,
    FAQPublic,
    ProblemDocument,
    ReceiptPublic,
    RequestChange,
    RequestPublic,
    RequestState,
    StaffStatusChangeList,
    Standing,
    StatusChangeRecorded,
    StatusChangeRequest,
    StatusPublic,
)

SERVICE, TOKEN = os.environ["SERVICE"], os.environ["TOKEN"]
T = TypeVar("T")


def given(answer: T | ProblemDocument | None) -> T:
    """Returns the answer; raises an error with the problem's text, which may be shown to a user."""
    if isinstance(answer, ProblemDocument):
        raise RuntimeError(answer.detail)
    assert answer is not None
    return answer


def every_question(client: Client) -> list[FAQPublic]:
    """All pages of the list, in their order."""
    page: FAQList = given(list_faqs.sync(client=client, limit=10))
    questions = page.data
    while page.meta.next_cursor is not None:
        page = given(list_faqs.sync(client=client, limit=10, cursor=page.meta.next_cursor))
        questions += page.data
    return questions


def main() -> None:
    client = Client(base_url=SERVICE)
    status: StatusPublic = given(read_status.sync(client=client))
    assert status.state is ClinicState.OPEN
    assert status.reopens_on is None
    slugs = [question.slug for question in every_question(client)]
    assert len(slugs) == len(set(slugs)) > 10
    unknown = read_section.sync("unknown", client=client)
    assert isinstance(unknown, ProblemDocument)
    assert unknown.type_ == "/problems/not-found"

    form: ConsultationFormPublic = given(read_consultation_request_form.sync(client=client))
    request = ConsultationRequestCreate(
        name="Robin",
        email="robin",
        topic="other",
        consent_to_contact=True,
        form_version=form.version,
    )
    refused = create_consultation_request.sync(client=client, body=request)
    assert isinstance(refused, ProblemDocument)
    assert refused.errors
    assert [fault.code for fault in refused.errors] == ["email.invalid"]

    request.email = "robin@example.com"
    # A form library sends empty strings for fields that are not filled in.
    request.phone = request.message = ""
    key = "from-a-typed-program"
    accepted: ConsultationRequestAccepted = given(
        create_consultation_request.sync(client=client, body=request, idempotency_key=key)
    )
    again = given(
        create_consultation_request.sync(client=client, body=request, idempotency_key=key)
    )
    assert again.id == accepted.id
    mine = AuthenticatedClient(base_url=SERVICE, token=accepted.receipt_token)
    receipt: ReceiptPublic = given(read_consultation_request.sync(accepted.id, client=mine))
    assert receipt.state is RequestState.RECEIVED

    staff = AuthenticatedClient(base_url=SERVICE, token=TOKEN)
    opened = open_consultation_request.sync_detailed(accepted.id, client=staff)
    whole: RequestPublic = given(opened.parsed)
    assert whole.sent is not None
    assert whole.sent.email == "robin@example.com"
    assert whole.sent.phone is whole.sent.message is None
    moved = change_consultation_request.sync(
        accepted.id,
        client=staff,
        body=RequestChange(state=RequestState.CONTACTED),
        if_match=opened.headers["ETag"],
    )
    assert given(moved).state is RequestState.CONTACTED
    change = StatusChangeRequest(
        state=ClinicState.OPEN, effective_from=datetime(2999, 1, 1, tzinfo=UTC)
    )
    tried: StatusChangeRecorded = given(
        create_status_change.sync(client=staff, body=change, dry_run=True)
    )
    assert (tried.id, tried.status) == (None, Standing.PLANNED)
    planned: StatusChangeRecorded = given(create_status_change.sync(client=staff, body=change))
    assert planned.id is not None
    called_off = given(call_off_status_change.sync(planned.id, client=staff))
    listed: StaffStatusChangeList = given(list_staff_status_changes.sync(client=staff))
    assert listed.data[0] == called_off
    gone = withdraw_consultation_request.sync(accepted.id, client=mine)
    assert given(gone).state is RequestState.WITHDRAWN


main()
