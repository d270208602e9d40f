"""The clinic in JSON-LD 1.1 with the vocabulary of schema.org, and a JSON Schema of it."""

from collections.abc import Mapping

from models.clinic import ClinicPublic
from models.status import ClinicStatus
from models.values import ClinicState

MEDIA_TYPE = "application/ld+json"

_TEXT = {"type": "string"}


def _node(kind: str, required: list[str], **properties: Mapping[str, object]) -> dict[str, object]:
    """The JSON Schema of a node: an object with `@type`."""
    return {
        "type": "object",
        "properties": {"@type": {"type": "string", "const": kind}, **properties},
        "required": ["@type", *required],
    }


# Optional members are absent if they are not known; JSON-LD has no `null` for them.
SCHEMA = _node(
    "MedicalClinic",
    ["@context", "address"],
    **{"@context": {"type": "string", "const": "https://schema.org"}},
    name=_TEXT,
    description=_TEXT,
    url=_TEXT,
    telephone=_TEXT,
    email=_TEXT,
    address=_node(
        "PostalAddress",
        ["addressLocality", "addressRegion", "addressCountry"],
        streetAddress=_TEXT,
        addressLocality=_TEXT,
        addressRegion=_TEXT,
        addressCountry=_TEXT,
    ),
    openingHoursSpecification={
        "type": "array",
        "items": _node(
            "OpeningHoursSpecification",
            ["dayOfWeek", "opens", "closes"],
            dayOfWeek=_TEXT,
            opens=_TEXT,
            closes=_TEXT,
        ),
    },
    availableService={
        "type": "array",
        "items": _node("MedicalTherapy", ["name", "description"], name=_TEXT, description=_TEXT),
    },
)


def medical_clinic(clinic: ClinicPublic, status: ClinicStatus) -> dict[str, object]:
    """A schema.org `MedicalClinic`. Members that are not known are absent.

    If the clinic is not open, there are no services and no opening hours, and the description is
    the message of the status.
    """
    is_open = status.state is ClinicState.OPEN
    document = {
        "@context": "https://schema.org",
        "@type": "MedicalClinic",
        "name": clinic.name,
        "description": None if is_open else status.message,
        "url": clinic.contact.website,
        "telephone": clinic.contact.phone,
        "email": clinic.contact.email,
        "address": {
            "@type": "PostalAddress",
            "streetAddress": clinic.contact.address,
            "addressLocality": clinic.locality,
            "addressRegion": clinic.region,
            "addressCountry": clinic.country,
        },
        "openingHoursSpecification": [
            {
                "@type": "OpeningHoursSpecification",
                "dayOfWeek": f"https://schema.org/{hours.day.capitalize()}",
                "opens": hours.opens.isoformat(),
                "closes": hours.closes.isoformat(),
            }
            for hours in clinic.opening_hours or []
            if is_open
        ],
        "availableService": [
            {
                "@type": "MedicalTherapy",
                "name": treatment.name,
                "description": treatment.summary,
            }
            for treatment in clinic.treatments
            if is_open
        ],
    }
    return _without_unknown(document)


def _without_unknown(value: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _without_unknown(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item not in (None, [])
    }
