"""The clinic in the database."""

from sqlmodel import Session

from data.documents.status import NotLoaded
from models.clinic import Clinic


def find_clinic(session: Session) -> Clinic:
    clinic = session.get(Clinic, 1)
    if clinic is None:
        raise NotLoaded
    return clinic
