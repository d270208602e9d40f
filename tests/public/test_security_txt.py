"""`security.txt` (RFC 9116): the contact for security problems."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from models.settings import Settings
from tests.support.apps import client_of, running
from tests.support.intake import problem

pytestmark = pytest.mark.database("sqlite")

PATH = "/.well-known/security.txt"


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("security@clinic.example", "mailto:security@clinic.example"),
        ("mailto:security@clinic.example", "mailto:security@clinic.example"),
        ("https://clinic.example/security", "https://clinic.example/security"),
    ],
)
async def test_the_contact_is_published(folder: Path, contact: str, expected: str) -> None:
    """`security.txt` has the contact as a URI, expires within a year, and is stable all day."""
    settings = {"security_contact": contact, "public_url": "https://api.clinic.example/"}
    async with running(folder, **settings) as app, client_of(app) as client:
        answer, again = await client.get(PATH), await client.get(PATH)
        head = await client.head(PATH)
        wrong = await client.post(PATH)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == expected
    assert fields["Canonical"] == f"https://api.clinic.example{PATH}"
    assert fields["Expires"].endswith("T00:00:00Z")
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)
    assert answer.text.endswith("\n")
    assert again.text == answer.text
    assert (head.status_code, head.content) == (200, b"")
    assert problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["Allow"] == "GET, HEAD"


async def test_without_a_contact_there_is_no_file(client: httpx.AsyncClient) -> None:
    """Without the setting there is no `security.txt`."""
    problem(await client.get(PATH), 404, "not-found")


@pytest.mark.parametrize(
    "contact",
    ["security", "http://clinic.example", "https://", "https://a.example/\nContact: b@c.example",
     "mailto:", "mailto:a b@clinic.example", "a@clinic.example\r\nExpires: x",
     "sécurité@clinic.example", "javascript:alert(1)", "https://a.example/ b"],
)  # fmt: skip
def test_an_invalid_contact(contact: str) -> None:
    """An invalid contact is an invalid setting."""
    with pytest.raises(ValidationError):
        Settings(_env_file=None, security_contact=contact)
