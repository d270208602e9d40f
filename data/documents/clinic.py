"""The clinic, as it is published."""

from sqlmodel import Session

from data.documents.published import find_published
from data.documents.texts import TextContext, find_context
from models.clinic import ClinicContent, ClinicPublic
from models.opening_hours import opening_at
from models.values import ClinicState


def find_clinic(session: Session) -> ClinicContent:
    """The content of the document `clinic`. Raises `NotLoaded`."""
    return find_published(session).clinic


def find_public_clinic(session: Session) -> ClinicPublic:
    """The clinic as it is served. Raises `NotLoaded`."""
    return publish_clinic(find_context(session))


def publish_clinic(context: TextContext) -> ClinicPublic:
    clinic = context.published.clinic
    special = clinic.special_hours
    is_open = context.status.state is ClinicState.OPEN
    return ClinicPublic.model_validate(
        {
            **clinic.model_dump(),
            "special_hours": special and [day for day in special if day.on >= context.today],
            "opening": opening_at(clinic.opening_hours, special, zone=clinic.zone, now=context.now)
            if is_open
            else None,
            "clinic_state": context.status.state,
            "notices": context.notices_for(()),
            "locale": context.locale,
        }
    )
