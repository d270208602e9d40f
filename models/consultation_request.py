"""What a person sends, what is kept of it, and what they get back."""

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
    # An extension has no place in E.164 and would be lost.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise fault("invalid")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class RequestState(StrEnum):
    """How far a request is. `completed`, `declined`, `withdrawn` and `closed_out` end it."""

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


# What a client adds to what a person filled in, and who only tells people from programs.
SPAM_SIGNS = {"website", "seconds_to_complete"}
ADDED_BY_CLIENT = {"form_version", *SPAM_SIGNS}


class ConsultationRequestCreate(Input):
    """A person asks the clinic for a consultation. At least one of `email` and `phone` is given."""

    name: Annotated[
        str,
        Described(min_length=1, max_length=200),
        AfterValidator(no_control_characters),
        AfterValidator(not_blank),
    ] = Described(description="What the clinic should call the person.")
    email: (
        Annotated[
            str,
            Described(max_length=254, json_schema_extra={"format": "email"}),
            AfterValidator(no_control_characters),
            AfterValidator(_email_address),
        ]
        | None
    ) = Described(default=None, description="E-mail address. Needed without `phone`.")
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
        description="In any usual US notation; kept as E.164. Needed without `email`.",
    )
    preferred_contact: Literal["email", "phone", "either"] | None = Described(
        default=None, description="How the person would rather be reached."
    )
    may_leave_voicemail: StrictBool | None = Described(
        default=None, description="Whether the clinic may speak to an answering machine."
    )
    best_time: Literal["morning", "afternoon", "evening", "any"] | None = Described(
        default=None, description="When the person is best reached, in the clinic's time zone."
    )
    topic: Literal[
        "depression", "ptsd", "chronic_pain", "other_mood_disorder", "other", "prefer_not_to_say"
    ] = Described(
        description="What a person may ask about, which is not a list of what the clinic treats."
    )
    message: Annotated[str, Described(max_length=2000), AfterValidator(no_nul)] | None = Described(
        default=None, description="Kept exactly as typed; its length counts code points."
    )
    # No `const` in the schema: several generators make a type of it that no value fits.
    consent_to_contact: StrictBool = Described(
        description="Must be true; `false` is answered with 422 `consent_to_contact.required`."
    )
    form_version: StrictInt = Described(
        ge=1, description="`version` of the form that the person saw."
    )

    website: Annotated[str, Described(max_length=2000)] | None = Described(
        default=None,
        description="Leave it empty, and hide its input from people: programs that fill in "
        "everything give themselves away. Such a request is stored, and marked for staff.",
    )
    seconds_to_complete: Annotated[StrictInt, Described(ge=0, le=10**9)] | None = Described(
        default=None,
        description="How long the form was open before it was sent. Fewer than 3 seconds mark the "
        "request for staff.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _check_across_fields(
        cls, data: Any, handler: ModelWrapValidatorHandler["ConsultationRequestCreate"]
    ) -> "ConsultationRequestCreate":
        # An after-validator would not run beside a field's own fault, and all are told at once.
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
    """One request; everything that was typed is inside `sealed`, and nowhere else."""

    __tablename__ = "consultation_request"

    __table_args__ = (
        Index("ix_consultation_request_received_at_id", "received_at", "id"),
        Index("ix_consultation_request_state_received_at_id", "state", "received_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    state: str
    # Why staff or the service ended it, where that is not the state itself.
    end_reason: str | None = None
    received_at: datetime
    updated_at: datetime
    state_changed_at: datetime
    retention_until: datetime | None = Field(index=True)
    version: int = 1
    assigned_to: str | None = None
    quarantined: bool = False
    quarantine_reasons: list[str] = Field(default_factory=list, sa_type=JSONColumn)
    # Keyed digests: two requests of one person are recognised without being opened.
    email_digest: bytes | None = Field(default=None, index=True)
    phone_digest: bytes | None = Field(default=None, index=True)
    receipt_hash: bytes
    sealed: bytes | None


class Consent(SQLModel, table=True):
    """What a person agreed to, in the words they were shown."""

    id: int | None = Field(default=None, primary_key=True)
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    purpose: str
    version: int
    text: str
    given_at: datetime


class NextStepPublic(Output):
    """What happens now."""

    code: str = Described(
        description="A state of the request, or `clinic_` and the clinic's state that holds it up."
    )
    text: str = Described(description="What happens now, in words for the person who asked.")


class ReceiptPublic(Output):
    """What a person may know of their own request; never what they typed."""

    id: str = Described(description="Names the request, with its receipt token.")
    state: RequestState = Described(description="How far it is.")
    received_at: datetime = Described(description="When it was stored.")
    updated_at: datetime = Described(description="When its state last changed.")
    retention_until: datetime | None = Described(
        description="When it is erased; `null` until a retention period exists."
    )
    next_step: NextStepPublic = Described(description="What happens now.")


class ConsultationRequestAccepted(Output):
    """The answer to an accepted request."""

    id: str = Described(description="Names the request, with its receipt token.")
    state: RequestState = Described(
        description="`received`, or `waitlisted` where there is a waiting list."
    )
    receipt_token: str = Described(
        description="Opens the receipt and the withdrawal. It is shown here only: keep it."
    )
    received_at: datetime = Described(description="When it was stored.")
    retention_until: datetime | None = Described(
        description="When it is erased; `null` until a retention period exists."
    )
    next_step: NextStepPublic = Described(description="What happens now.")
