"""A dental clinic in Sevilla, adopted with the commands that a person uses."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.forms import SEVILLA
from tests.support.intake import PATH
from tests.support.open_service import text_of
from tests.support.process import run, serving
from tests.support.receivers import Mailbox, mail_server

PRODUCTION = {"CLINIC_ENVIRONMENT": "production"}
CLINIC = (
    *("--name", "Clínica Dental Ejemplo", "--locality", "Sevilla", "--region", "Andalucía"),
    *("--country", "ES", "--time-zone", "Europe/Madrid", "--locale", "es-ES"),
)
SCOPES = ("intake:read", "intake:write", "intake:export", "status:write")
ASKED: dict[str, Any] = {
    "name": "Lucía Ejemplo",
    "phone": "954 12 34 56",
    "email": "lucia@example.com",
    "best_time": "afternoon",
    "topic": "caries",
    "message": "Me duele una muela.",
    "answers": {"primera_visita": "no", "seguro": "mutua"},
    "consent_to_contact": True,
    "consents": {"recordatorios": True},
    "form_version": 1,
}


@dataclass
class Adopted:
    """The clinic's service, its content files, and the mailbox that gets its e-mails."""

    folder: Path
    files: Path
    client: httpx.Client
    mailbox: Mailbox

    def command(self, *arguments: str) -> str:
        """Runs a command on the clinic's machine; returns what it prints."""
        return command(*arguments, folder=self.folder)

    def read(self, path: str) -> dict[str, Any]:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, **changes: object) -> httpx.Response:
        """Sends the patient's request with changes."""
        return self.client.post(PATH, json={**ASKED, **changes})

    def letters(self) -> dict[str, str]:
        """The newest e-mail to each address."""
        return {letter["To"]: text_of(letter) for letter in self.mailbox.letters}

    def staff(self) -> dict[str, str]:
        scopes = [part for scope in SCOPES for part in ("--scope", scope)]
        token = self.command("token", "create", "--owner", "Recepción", *scopes).strip()
        return {"Authorization": f"Bearer {token}"}


def command(*arguments: str, folder: Path) -> str:
    done = run(*arguments, folder=folder, **PRODUCTION)
    assert done.returncode == 0, done.stderr
    return done.stdout


def adopt(folder: Path) -> Path:
    """Makes the clinic's files, its keys and an empty database. Returns the folder of the files."""
    files = folder / "clinica"
    command("content", "new", str(files), *CLINIC, folder=folder)
    shutil.rmtree(files)
    shutil.copytree(SEVILLA, files)
    command("content", "check", str(files), folder=folder)
    command("keys", "create", str(folder / "keyring.json"), folder=folder)
    command("migrate", folder=folder)
    return files


@contextmanager
def adopted_in(folder: Path) -> Iterator[Adopted]:
    """The clinic in a folder with an empty database, and its service."""
    with mail_server() as (mailbox, server):
        files = adopt(folder)
        settings = {
            **PRODUCTION,
            "CLINIC_CONTENT": str(files),
            "CLINIC_SMTP_URL": server,
            "CLINIC_SMTP_PLAIN": "127.0.0.1",
            "CLINIC_MAIL_FROM": "no-reply@dental.example",
            "CLINIC_NOTIFY_TO": "recepcion@dental.example",
            "CLINIC_CONFIRM_TO_SUBMITTER": "true",
        }
        with serving(folder, changes=settings) as service, service.client() as client:
            yield Adopted(folder, files, client, mailbox)
