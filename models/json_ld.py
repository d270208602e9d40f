"""The clinic in the words of schema.org."""

from typing import Any

from models.clinic import ClinicPublic
from models.status import StatusPublic
from models.values import ClinicState

MEDIA_TYPE = "application/ld+json"


def medical_clinic(clinic: ClinicPublic, status: StatusPublic) -> dict[str, Any]:
    """A schema.org `MedicalClinic` in JSON-LD 1.1; what is not known is left out.

    A clinic that is not open offers no service, and says so in its description.
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
    return _known(document)


def _known(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _known(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item not in (None, [])
    }
