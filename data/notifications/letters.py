"""The texts of the service's letters (e-mails). No text discloses anything about a patient."""

from zoneinfo import ZoneInfo

from sqlmodel import Session

from data.crypto import Keyring
from data.documents.clinic import find_clinic
from data.documents.form import find_form_version
from data.documents.status import find_status
from data.intake.requests import find_request, next_step
from data.intake.sealed import open_request
from data.letter_receipts import open_receipt
from data.notifications.smtp import Letter
from models.delivery import Delivery

STAFF_PAGE = "/staff"


def to_clinic(
    session: Session, *, delivery: Delivery, recipient: str | None, public_url: str | None
) -> Letter | None:
    """Notifies the clinic of a new request, with its reference and a link to it.

    `None` if the request was erased, or if the clinic has no address for notifications.
    """
    row = find_request(session, request_id=delivery.subject)
    if row is None or recipient is None:
        return None
    time_zone = find_clinic(session).time_zone
    received_at = row.received_at.astimezone(ZoneInfo(time_zone))
    link = f"{public_url.rstrip('/')}{STAFF_PAGE}#/requests/{row.id}" if public_url else None
    lines = [
        f"A consultation request was received on {received_at:%Y-%m-%d at %H:%M} ({time_zone}).",
        "",
        f"Reference: {row.id}",
        f"Open it: {link}" if link else "Open it on the staff page.",
    ]
    if row.quarantined:
        lines += ["", "It looks like spam. It was kept, so that you can decide."]
    return Letter(recipient, "A consultation request was received", _text(lines), delivery.id)


def to_submitter(
    session: Session, *, delivery: Delivery, keyring: Keyring, receipt_url: str | None
) -> Letter | None:
    """Confirms to the person that the request was received; `None` if it was erased."""
    row = find_request(session, request_id=delivery.subject)
    sent = open_request(row, keyring=keyring) if row else None
    if row is None or sent is None or not sent["email"]:
        return None
    form = find_form_version(session).content
    step = next_step(row.state, status=find_status(session), form=form)
    name = find_clinic(session).name
    lines = [
        f"Thank you for your request to {name}." if name else "Thank you for your request.",
        "",
        step.text,
        "",
        f"Reference: {row.id}",
    ]
    token = open_receipt(delivery, keyring=keyring)
    if receipt_url and token:
        lines += [
            "",
            "This link shows where your request stands. You can withdraw your request there:",
            f"{receipt_url}#id={row.id}&token={token}",
            "Please keep the link to yourself. Anyone who has it can do the same.",
        ]
    lines += ["", form.safety_notice]
    # A locked screen can show the subject, and a clinic's name may say what it treats.
    return Letter(sent["email"], "Your request was received", _text(lines), delivery.id)


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
