"""The data of a consultation request: as a person sends it, and as staff reads it."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, StrictBool, StrictInt, WithJsonSchema
from pydantic import Field as Described

from models.email_address import parse_email_address
from models.values import Input, Output, fault, no_control_characters, no_nul, not_blank

_LOCALE_PATTERN = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
_LOCALE = re.compile(_LOCALE_PATTERN)
_LOCALE_LENGTH = 35

# Signs of a bot. They are not stored.
SPAM_SIGNS = {"website", "seconds_to_complete"}
# The fields that a person does not fill in. No form contains them.
ADDED_BY_CLIENT = {"form_version", "locale", *SPAM_SIGNS}
# The objects whose members the form describes.
GROUPS = {"answers", "consents"}
# The prefix of a question's name where names of fields and questions stand together.
ANSWERS = "answers."


def _email_address(value: str) -> str:
    address = value.strip(" ")
    if parse_email_address(address) is None:
        raise fault("invalid")
    return address


def _locale(value: str) -> str:
    if len(value) > _LOCALE_LENGTH or not _LOCALE.fullmatch(value):
        raise fault("invalid")
    return value


class ConsultationRequestCreate(Input):
    """A person's request for a consultation.

    The form says which of the optional fields it asks for and which of them it requires, and it
    describes the members of `answers` and `consents`. A field that the form does not ask for is an
    unknown field. Where the form asks for `email` and `phone`, at least one of them is required.
    """

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
    # `models/request_check.py` checks the number, because that needs the clinic's country.
    phone: (
        Annotated[str, Described(max_length=40), AfterValidator(no_control_characters)] | None
    ) = Described(
        default=None,
        description="Telephone number with `+` and country code, or in any usual notation of the "
        "clinic's country. It is stored as E.164, with an extension as `;ext=` (RFC 3966). "
        "Required without `email`.",
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
    topic: str = Described(
        description="What the person asks about: one of the form's topics. They do not say what "
        "the clinic treats."
    )
    message: Annotated[str, Described(max_length=2000), AfterValidator(no_nul)] | None = Described(
        default=None, description="Stored exactly as typed. The maximum length counts code points."
    )
    # Members have any type here: no schema is a union with an array, of which Java's generator
    # makes invalid code.
    answers: dict[str, object] | None = Described(
        default=None,
        description="The answers to the clinic's questions, by the question's name. The form's "
        "`schema` describes them. An answer that is `null` or an empty string is not given.",
    )
    # No `const` in the schema: several code generators turn it into a type that has no values.
    consent_to_contact: StrictBool = Described(
        description="Must be `true`. The answer to `false` is 422 `consent_to_contact.required`."
    )
    consents: (
        Annotated[
            dict[str, object],
            WithJsonSchema({"type": "object", "additionalProperties": {"type": "boolean"}}),
        ]
        | None
    ) = Described(
        default=None,
        description="Further consents, by the `field` of the form's `consents`: `true` if given.",
    )
    form_version: StrictInt = Described(
        ge=1, description="`version` of the form that the person saw."
    )
    locale: (
        Annotated[
            str,
            Described(json_schema_extra={"pattern": _LOCALE_PATTERN}),
            AfterValidator(_locale),
        ]
        | None
    ) = Described(
        default=None,
        description="Language of the form that the person saw, a BCP 47 tag. Without it, the "
        "clinic's language is stored.",
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


# The fields that a form can ask for, in the order of the model.
FORM_FIELDS = tuple(
    name
    for name in ConsultationRequestCreate.model_fields
    if name not in ADDED_BY_CLIENT | GROUPS | {"consent_to_contact"}
)


class ShownValuePublic(Output):
    """A value as the person saw it on the form."""

    name: str = Described(
        description="Name of the field; `answers.` and the question's name for an answer."
    )
    label: str = Described(description="Label that the person saw.")
    value: str | None = Described(
        description="The value as text, with the labels of choices; `null` if it was not given."
    )


class SentPublic(Output):
    """The data that the person sent, after validation."""

    name: str = Described(description="How the clinic should address the person.")
    email: str | None = Described(description="E-mail address.")
    phone: str | None = Described(
        description="Telephone number in E.164, with an extension as `;ext=` (RFC 3966)."
    )
    preferred_contact: str | None = Described(description="`email`, `phone` or `either`.")
    may_leave_voicemail: bool | None = Described(
        description="Whether the clinic may leave a voice message."
    )
    best_time: str | None = Described(description="Best time to contact the person.")
    topic: str = Described(description="What the person asks about.")
    message: str | None = Described(description="The message, exactly as typed.")
    answers: dict[str, object] = Described(
        description="The answers to the clinic's questions, by the question's name."
    )
    form_version: int = Described(description="Version of the form that the person saw.")
    locale: str | None = Described(
        description="Language of the form that the person saw; `null` if it was not recorded."
    )
    shown: list[ShownValuePublic] = Described(
        description="The fields and answers in the form's order, with the labels that the person "
        "saw. The consents are in `consents` of the request."
    )
