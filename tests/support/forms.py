"""Forms of clinics that ask more than the invented clinic does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine
from sqlmodel import select

from data.database import reading, writing
from data.documents import published
from data.documents.content_version import record_change
from data.documents.form import find_form_version
from models.document import Publication
from tests.support.clinic import CLINIC
from tests.support.documents import document_of, publish

SEVILLA = Path(__file__).resolve().parents[1] / "sevilla"

# One question of each type.
QUESTIONS: list[dict[str, Any]] = [
    {"name": "sport", "type": "choice", "label": "Your sport", "help": "The main one.",
     "choices": [{"value": "running", "label": "Running"}, {"value": "none", "label": "No sport"}]},
    {"name": "pains", "type": "choices", "label": "Where it hurts",
     "choices": [{"value": "knee", "label": "Knee"}, {"value": "hip", "label": "Hip"}]},
    {"name": "smoker", "type": "yes_no", "label": "Do you smoke?"},
    {"name": "doctor", "type": "short_text", "label": "Your doctor", "max_length": 20},
    {"name": "history", "type": "long_text", "label": "What happened before", "max_length": 300},
    {"name": "age", "type": "number", "label": "Your age", "minimum": 0, "maximum": 120,
     "whole": True},
    {"name": "weight", "type": "number", "label": "Your weight"},
    {"name": "since", "type": "date", "label": "Since when"},
]  # fmt: skip
REMINDERS: dict[str, Any] = {
    "purpose": "reminders",
    "field": "reminders",
    "version": 1,
    "required": False,
    "text": "The practice may remind me of appointments.",
}


def form_document(folder: Path = CLINIC) -> dict[str, Any]:
    """The form in a folder, as its file has it."""
    document: dict[str, Any] = yaml.safe_load((folder / "form.yaml").read_text(encoding="utf-8"))
    return document


def with_questions(document: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    """A form with a question of each type and a further consent."""
    questions = [{**question, "required": required} for question in QUESTIONS]
    consents = [*document["consents"], {**REMINDERS, "required": required}]
    return {**document, "questions": questions, "consents": consents}


def publish_form(engine: Engine, document: dict[str, Any], *, clinic: Path = CLINIC) -> int:
    """Publishes a form, and the country of the clinic in a folder; returns the form's version."""
    country = yaml.safe_load((clinic / "clinic.yaml").read_text(encoding="utf-8"))["country"]
    publish(engine, "clinic", country=country)
    publish(engine, "form", content=document)
    with reading(engine) as session:
        return find_form_version(session).version


def let_forms_age(engine: Engine, age: timedelta) -> None:
    """Makes the publication of every form so much older."""
    with writing(engine) as session:
        form = document_of(session, "form").id
        for row in session.exec(select(Publication).where(Publication.document_id == form)):
            row.from_at -= age
            session.add(row)
        record_change(session, name="form")
    # The service reads a publication once, because it never changes.
    published._latest.clear()
