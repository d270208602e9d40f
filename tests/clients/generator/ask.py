"""Sends a request and reads its receipt with the Python client of openapi-generator.

SERVICE is the URL of the service, TOKEN a staff token.
"""

import json
import os

from openapi_client import (
    ApiClient,
    ClinicApi,
    ClinicState,
    Configuration,
    ConsultationRequestCreate,
    ConsultationRequestsApi,
    FormDialect,
    RequestState,
    StaffApi,
)
from openapi_client.exceptions import UnprocessableEntityException

SERVICE, TOKEN = os.environ["SERVICE"], os.environ["TOKEN"]


def refusal(api: ConsultationRequestsApi, request: ConsultationRequestCreate) -> list[str]:
    """The codes of the faults with which the service refuses this request."""
    try:
        api.create_consultation_request(request)
    except UnprocessableEntityException as error:
        return [fault["code"] for fault in json.loads(error.body or "{}")["errors"]]
    raise AssertionError("not refused")


def main() -> None:
    anybody = ApiClient(Configuration(host=SERVICE))
    assert ClinicApi(anybody).read_status().state is ClinicState.OPEN
    api = ConsultationRequestsApi(anybody)
    form = api.read_consultation_request_form(dialect=FormDialect.CONST)
    assert "consent_to_contact" in form.var_schema["properties"]

    request = ConsultationRequestCreate(
        name="Robin",
        email="robin@example.com",
        topic="other",
        consent_to_contact=False,
        form_version=form.version,
    )
    assert refusal(api, request) == ["consent_to_contact.required"]
    request.consent_to_contact = True
    key = "from-the-python-generator"
    accepted = api.create_consultation_request(request, idempotency_key=key)
    again = api.create_consultation_request(request, idempotency_key=key)
    assert again.id == accepted.id

    mine = ApiClient(Configuration(host=SERVICE, access_token=accepted.receipt_token))
    receipt = ConsultationRequestsApi(mine).read_consultation_request(accepted.id)
    assert receipt.state is RequestState.RECEIVED

    staff = StaffApi(ApiClient(Configuration(host=SERVICE, access_token=TOKEN)))
    details = [event.details for event in staff.list_audit_events().data]
    scopes = [event["scopes"].actual_instance for event in details if "scopes" in event]
    assert any("intake:read" in str(value) for value in scopes)


main()
