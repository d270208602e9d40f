"""The clinic in the words of schema.org."""

from typing import Any

from models.clinic import ClinicPublic
from models.status import ClinicStatus
from models.values import ClinicState

MEDIA_TYPE = "application/ld+json"

_TEXT = {"type": "string"}


def _node(kind: str, required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"@type": {"type": "string", "const": kind}, **properties},
        "required": ["@type", *required],
    }


# What is not known is left out: in JSON-LD that is how it is said.
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


def medical_clinic(clinic: ClinicPublic, status: ClinicStatus) -> dict[str, Any]:
    """A schema.org `MedicalClinic` in JSON-LD 1.1; what is not known is left out.

    A clinic that is not open offers no service, and says so in its description.
    """
    is_open = status.state is ClinicState.OPEN
    document = {
        "@context": "https://schema.org",
        "@type": "MedicalClinic",
        "name": clinic.name,
        "description": None if is_open else status.change.message,
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
    return _known(document)


def _known(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _known(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item not in (None, [])
    }
