"""What a person sends, what is kept of it, and what they get back."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    ModelWrapValidatorHandler,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic import Field as Described
from pydantic_core import InitErrorDetails, PydanticCustomError
from sqlmodel import Field, SQLModel

from models.values import Input, Output

# Controls of the bidirectional algorithm (UAX #9): they can make a name read as another.
_BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DEFAULT_REGION = "US"


def _fault(reason: str) -> PydanticCustomError:
    """A fault whose type is the second half of its code, `<field>.<reason>`."""
    return PydanticCustomError(reason, "invalid")


def _no_control_characters(value: str) -> str:
    if any(c in _BIDI_CONTROLS or unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value):
        raise _fault("invalid")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise _fault("required")
    return value


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise _fault("invalid")
    return value


def _email_address(value: str) -> str:
    address = value.strip(" ")
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        # Its own message repeats what was typed.
        raise _fault("invalid") from None
    return address


def _e164(value: str) -> str:
    try:
        number = phonenumbers.parse(value, _DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        raise _fault("invalid") from None
    # An extension has no place in E.164 and would be lost.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise _fault("invalid")
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


class ConsultationRequestCreate(Input):
    """A person asks the clinic for a consultation. At least one of `email` and `phone` is given."""

    name: Annotated[
        str,
        Described(min_length=1, max_length=200),
        AfterValidator(_no_control_characters),
        AfterValidator(_not_blank),
    ] = Described(description="What the clinic should call the person.")
    email: (
        Annotated[
            str,
            Described(max_length=254, json_schema_extra={"format": "email"}),
            AfterValidator(_no_control_characters),
            AfterValidator(_email_address),
        ]
        | None
    ) = Described(default=None, description="E-mail address. Needed without `phone`.")
    phone: (
        Annotated[
            str,
            Described(max_length=40),
            AfterValidator(_no_control_characters),
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
    message: Annotated[str, Described(max_length=2000), AfterValidator(_no_nul)] | None = Described(
        default=None, description="Kept exactly as typed; its length counts code points."
    )
    consent_to_contact: StrictBool = Described(
        json_schema_extra={"const": True}, description="Must be true."
    )
    form_version: StrictInt = Described(
        ge=1, description="`version` of the form that the person saw."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _check_across_fields(
        cls, data: Any, handler: ModelWrapValidatorHandler["ConsultationRequestCreate"]
    ) -> "ConsultationRequestCreate":
        # An after-validator would not run beside a field's own fault, and all are told at once.
        faults: list[InitErrorDetails] = []
        if isinstance(data, dict):
            if data.get("email") is None and data.get("phone") is None:
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
    return InitErrorDetails(type=_fault("required"), loc=(field,), input=None)


def _details(error: ValidationError) -> list[InitErrorDetails]:
    return [
        InitErrorDetails(type=_fault(fault["type"]), loc=fault["loc"], input=fault["input"])
        for fault in error.errors(include_url=False, include_context=False)
    ]


class ConsultationRequest(SQLModel, table=True):
    """One request; everything that was typed is inside `sealed`, and nowhere else."""

    __tablename__ = "consultation_request"

    id: str = Field(primary_key=True, max_length=36)
    state: str = Field(index=True)
    received_at: datetime = Field(index=True)
    updated_at: datetime
    retention_until: datetime | None
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


class IdempotencyRecord(SQLModel, table=True):
    """The first answer to a key, kept sealed so that it can be given again."""

    __tablename__ = "idempotency_record"

    key_digest: bytes = Field(primary_key=True)
    body_digest: bytes
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    sealed_answer: bytes
    expires_at: datetime = Field(index=True)


class SealingKey(SQLModel, table=True):
    """A key that something here was sealed with, and a value only that key can produce."""

    __tablename__ = "sealing_key"

    id: str = Field(primary_key=True, max_length=40)
    check_value: bytes
    first_used_at: datetime


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
