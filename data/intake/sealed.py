"""The sealed parts of a consultation request: its document, its notes, its contact digests."""

import json
from typing import Any

from data.crypto import Keyring
from models.consultation_request import ConsultationRequest
from models.sent_request import SPAM_SIGNS, ConsultationRequestCreate


def request_location(request_id: str) -> str:
    return f"consultation_request.sealed:{request_id}"


def note_location(note_id: str) -> str:
    return f"request_note.sealed:{note_id}"


def document_of(request: ConsultationRequestCreate) -> bytes:
    """The JSON to seal: everything that the person sent, without the fields that detect bots."""
    return request.model_dump_json(exclude=SPAM_SIGNS).encode()


def open_request(row: ConsultationRequest, *, keyring: Keyring) -> dict[str, Any] | None:
    """The data that the person sent; `None` if it was erased. Raises `SealBroken`."""
    if row.sealed is None:
        return None
    document: dict[str, Any] = json.loads(
        keyring.unseal(row.sealed, location=request_location(row.id))
    )
    return document


def contact_digests(
    keyring: Keyring, *, email: str | None, phone: str | None
) -> tuple[bytes | None, bytes | None]:
    """The digests of the e-mail address and of the phone number, with the active key."""
    contacts = (email.casefold() if email else None, phone)
    email_digest, phone_digest = (
        keyring.digests("contact", contact.encode())[0] if contact else None for contact in contacts
    )
    return email_digest, phone_digest
