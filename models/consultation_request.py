"""Consultation requests: the input, the tables, and the answers to the person."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import (
    AfterValidator,
    ModelWrapValidatorHandler,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic import Field as Described
from pydantic_core import InitErrorDetails
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.email_address import parse_email_address
from models.values import Input, JSONColumn, Output, fault, no_control_characters, no_nul, not_blank

_DEFAULT_REGION = "US"


def _email_address(value: str) -> str:
    address = value.strip(" ")
    if parse_email_address(address) is None:
        raise fault("invalid")
    return address


def _e164(value: str) -> str:
    try:
        number = phonenumbers.parse(value, _DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        raise fault("invalid") from None
    # E.164 has no extensions, so an extension would be lost.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise fault("invalid")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class RequestState(StrEnum):
    """State of a request. `completed`, `declined`, `withdrawn` and `closed_out` are final."""

    RECEIVED = "received"
    WAITLISTED = "waitlisted"
    CONTACTED = "contacted"
    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    CLOSED_OUT = "closed_out"


FINAL_STATES = {
    RequestState.COMPLETED,
    RequestState.DECLINED,
    RequestState.WITHDRAWN,
    RequestState.CLOSED_OUT,
}


# `ADDED_BY_CLIENT` are the fields that a person does not fill in. `SPAM_SIGNS` only serve to
# detect bots, and are not stored.
SPAM_SIGNS = {"website", "seconds_to_complete"}
ADDED_BY_CLIENT = {"form_version", *SPAM_SIGNS}


class ConsultationRequestCreate(Input):
    """A person's request for a consultation. At least one of `email` and `phone` is required."""

    name: Annotated[
        str,
        Described(min_length=1, max_length=200),
        AfterValidator(no_control_characters),
        AfterValidator(not_blank),
    ] = Described(description="How the clinic should address the person.")
    email: (
        Annotated[
            str,
            Described(max_length=254, json_schema_extra={"format": "email"}),
            AfterValidator(no_control_characters),
            AfterValidator(_email_address),
        ]
        | None
    ) = Described(default=None, description="E-mail address. Required without `phone`.")
    phone: (
        Annotated[
            str,
            Described(max_length=40),
            AfterValidator(no_control_characters),
            AfterValidator(_e164),
        ]
        | None
    ) = Described(
        default=None,
        description="Telephone number in any usual US notation; stored as E.164. Required without "
        "`email`.",
    )
    preferred_contact: Literal["email", "phone", "either"] | None = Described(
        default=None, description="How the person prefers to be contacted."
    )
    may_leave_voicemail: StrictBool | None = Described(
        default=None, description="Whether the clinic may leave a voice message."
    )
    best_time: Literal["morning", "afternoon", "evening", "any"] | None = Described(
        default=None, description="Best time to contact the person, in the clinic's time zone."
    )
    topic: Literal[
        "depression", "ptsd", "chronic_pain", "other_mood_disorder", "other", "prefer_not_to_say"
    ] = Described(
        description="What the person asks about. The values do not say what the clinic treats."
    )
    message: Annotated[str, Described(max_length=2000), AfterValidator(no_nul)] | None = Described(
        default=None, description="Stored exactly as typed. The maximum length counts code points."
    )
    # No `const` in the schema: several code generators turn it into a type that has no values.
    consent_to_contact: StrictBool = Described(
        description="Must be `true`. The answer to `false` is 422 `consent_to_contact.required`."
    )
    form_version: StrictInt = Described(
        ge=1, description="`version` of the form that the person saw."
    )

    website: Annotated[str, Described(max_length=2000)] | None = Described(
        default=None,
        description="A honeypot: hide the input from people, and leave it empty. Bots fill it in. "
        "Such a request is stored, and marked for staff as suspected spam.",
    )
    seconds_to_complete: Annotated[StrictInt, Described(ge=0, le=10**9)] | None = Described(
        default=None,
        description="For how many seconds the form was open before it was sent. A request with "
        "fewer than 3 is marked for staff as suspected spam.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _check_across_fields(
        cls, data: Any, handler: ModelWrapValidatorHandler["ConsultationRequestCreate"]
    ) -> "ConsultationRequestCreate":
        # An after-validator does not run after a fault of a field, but all faults must be reported.
        faults: list[InitErrorDetails] = []
        if isinstance(data, dict):
            if all(data.get(contact) in (None, "") for contact in ("email", "phone")):
                faults = [_required("email"), _required("phone")]
            if data.get("consent_to_contact") is False:
                faults.append(_required("consent_to_contact"))
        try:
            request = handler(data)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                cls.__name__, [*_details(error), *faults]
            ) from None
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return request


def _required(field: str) -> InitErrorDetails:
    return InitErrorDetails(type=fault("required"), loc=(field,), input=None)


def _details(error: ValidationError) -> list[InitErrorDetails]:
    return [
        InitErrorDetails(type=fault(found["type"]), loc=found["loc"], input=found["input"])
        for found in error.errors(include_url=False, include_context=False)
    ]


class ConsultationRequest(SQLModel, table=True):
    """One request. Everything that a person typed is in `sealed` only."""

    __tablename__ = "consultation_request"

    __table_args__ = (
        Index("ix_consultation_request_received_at_id", "received_at", "id"),
        Index("ix_consultation_request_state_received_at_id", "state", "received_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    state: str
    # The reason for the end of the request, if the state does not show it.
    end_reason: str | None = None
    received_at: datetime
    updated_at: datetime
    state_changed_at: datetime
    retention_until: datetime | None = Field(index=True)
    version: int = 1
    assigned_to: str | None = None
    quarantined: bool = False
    quarantine_reasons: list[str] = Field(default_factory=list, sa_type=JSONColumn)
    # With keyed digests, requests of the same person are found without opening them.
    email_digest: bytes | None = Field(default=None, index=True)
    phone_digest: bytes | None = Field(default=None, index=True)
    receipt_hash: bytes
    sealed: bytes | None


class Consent(SQLModel, table=True):
    """A consent that a person gave, with the exact text that was shown."""

    id: int | None = Field(default=None, primary_key=True)
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    purpose: str
    version: int
    text: str
    given_at: datetime


class NextStepPublic(Output):
    """The next step of a request."""

    code: str = Described(
        description="The state of the request; or `clinic_` and the clinic's state, if the clinic "
        "is closed and the request must wait."
    )
    text: str = Described(description="What happens next, as a text for the person.")


class ReceiptPublic(Output):
    """A request as its sender can read it. It never contains data that the sender typed."""

    id: str = Described(description="Id of the request.")
    state: RequestState = Described(description="State of the request.")
    received_at: datetime = Described(description="When the request was stored.")
    updated_at: datetime = Described(description="When its state last changed.")
    retention_until: datetime | None = Described(
        description="When it will be erased; `null` while no retention period applies."
    )
    next_step: NextStepPublic = Described(description="What happens next.")


class ConsultationRequestAccepted(Output):
    """The answer to an accepted request."""

    id: str = Described(description="Id of the request.")
    state: RequestState = Described(
        description="`received`, or `waitlisted` if the clinic has a waiting list."
    )
    receipt_token: str = Described(
        description="Token to read the receipt and to withdraw the request. Only this answer "
        "contains it: keep it."
    )
    received_at: datetime = Described(description="When the request was stored.")
    retention_until: datetime | None = Described(
        description="When it will be erased; `null` while no retention period applies."
    )
    next_step: NextStepPublic = Described(description="What happens next.")
