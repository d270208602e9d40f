"""Forms that were stored by release 0.1.0, when every clinic had the same fields and topics."""

from collections.abc import Mapping
from typing import Any

_CONSENT = "consent_to_contact"


def is_old_form(document: Mapping[str, Any]) -> bool:
    return "choices" in document


def in_new_shape(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same form as `FormContent` has it."""
    choices = {
        name: [{"value": value, "label": label} for value, label in labels.items()]
        for name, labels in document["choices"].items()
    }
    fields = {
        name: {
            **field,
            "required": name in ("name", "topic"),
            "choices": None if name == "topic" else choices.get(name),
        }
        for name, field in document["fields"].items()
        if name != _CONSENT
    }
    [consent] = document["consents"]
    kept = ("safety_notice", "confirmation", "messages", "next_steps")
    return {
        **{name: document[name] for name in kept},
        "fields": fields,
        "topics": choices["topic"],
        "questions": [],
        "consents": [{**consent, "help": document["fields"][_CONSENT]["help"]}],
    }
