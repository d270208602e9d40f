"""The clinic in the database."""

from sqlmodel import Session

from data.documents.status import NotLoaded
from models.clinic import Clinic


def find_clinic(session: Session) -> Clinic:
    clinic = session.get(Clinic, 1)
    if clinic is None:
        raise NotLoaded
    return clinic


def find_locale(session: Session) -> str:
    """The language of the clinic's texts, a BCP 47 tag; empty where nothing is loaded."""
    clinic = session.get(Clinic, 1)
    return clinic.locale if clinic else ""
