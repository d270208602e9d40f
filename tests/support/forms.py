"""Forms of clinics that ask more than the invented clinic does."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine
from sqlmodel import select

from data.database import writing
from data.documents.files import read_content
from data.documents.form import find_form_version
from data.documents.publications import record_change
from data.operations.content_loading import load_content
from models.consultation_form import ConsultationForm, FormContent
from models.publication import Kind
from tests.support.clinic import CLINIC

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
    """Publishes a form of the clinic, and returns its version."""
    form = FormContent.model_validate(document)
    content = dataclasses.replace(read_content(clinic), form=form)
    with writing(engine) as session:
        load_content(session, content=content)
        return find_form_version(session).version


def let_forms_age(engine: Engine, age: timedelta) -> None:
    """Makes the publication of every form so much older."""
    with writing(engine) as session:
        for row in session.exec(select(ConsultationForm)):
            row.published_at -= age
            session.add(row)
        record_change(session, kind=Kind.FORM)
