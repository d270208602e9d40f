"""The form as it is served."""

from typing import Any

from pydantic import Field as Described

from models.form_questions import Widget
from models.status import IntakeReason
from models.values import ClinicState, Output


class FieldUiPublic(Output):
    """How to show one field."""

    autocomplete: str | None = Described(
        description="Value of the HTML attribute `autocomplete`; `null` for none."
    )
    input_mode: str | None = Described(
        description="Value of the HTML attribute `inputmode`; `null` for none."
    )
    widget: Widget = Described(description="Form control that fits the field.")


class FormUiPublic(Output):
    """How to show the form."""

    order: list[str] = Described(
        description="Names of the fields, in the order to show them: first the fields of the "
        "request, then the questions as `answers.NAME`, then the consents: `consent_to_contact` "
        "and all others as `consents.NAME`."
    )
    fields: dict[str, FieldUiPublic] = Described(
        description="How to show each field, by the names in `order`."
    )


class ConsentPublic(Output):
    """A consent that a person gives by sending the form."""

    purpose: str = Described(description="Purpose of the consent.")
    field: str = Described(
        description="The field that gives this consent: `consent_to_contact` is a field of the "
        "request, every other one is a member of `consents`."
    )
    version: int = Described(description="Version of the text. Each change of the text raises it.")
    text: str = Described(
        description="The exact text that the person agrees to. The service stores it as a record."
    )
    required: bool = Described(description="Whether a request without it is refused.")


class ConsultationFormPublic(Output):
    """The form with all its texts."""

    version: int = Described(description="Version of the form. Send it back as `form_version`.")
    accepting: bool = Described(description="Whether the clinic accepts requests now.")
    reason: IntakeReason | None = Described(
        description="Why requests go to a waiting list or are refused; `null` if neither applies."
    )
    schema_: dict[str, Any] = Described(
        alias="schema",
        description="JSON Schema of the fields, in the requested dialect. A form library can "
        "render it without changes. It does not contain `form_version` and `locale`: add these "
        "fields to the request yourself, `form_version` with the value of `version`.",
    )
    intake_message: str | None = Described(
        description="One sentence for patients about how requests are taken now; `null` if they "
        "are simply taken."
    )
    ui: FormUiPublic = Described(description="Order of the fields, and how to show each field.")
    consents: list[ConsentPublic] = Described(
        description="The consents that a person gives by sending the form."
    )
    messages: dict[str, str] = Described(
        description="For each error code of a 422: a sentence to show to the patient."
    )
    safety_notice: str = Described(description="Text that must always be shown with the form.")
    confirmation: str = Described(description="Text to show after a request was accepted.")
    clinic_state: ClinicState = Described(description="The clinic's state in this answer.")
    privacy_policy_url: str | None = Described(
        description="URL of the clinic's privacy policy; `null` if it is not known."
    )
    locale: str = Described(description="Language of the texts, a BCP 47 tag.")
