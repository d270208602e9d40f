"""What the service writes by e-mail: who reads it over a shoulder learns nothing of a patient."""

from sqlmodel import Session

from data.clinic import find_clinic
from data.consultation_form import find_words
from data.consultation_requests import find_request, next_step, open_request
from data.crypto import Keyring
from data.mail import Letter
from data.status import find_status
from models.delivery import Delivery

STAFF_PAGE = "/staff"


def to_clinic(
    session: Session, *, delivery: Delivery, recipient: str | None, public_url: str | None
) -> Letter | None:
    """A request has come: its reference, and where to open it. `None` where it went again."""
    row = find_request(session, request_id=delivery.subject)
    if row is None or recipient is None:
        return None
    place = f"{public_url.rstrip('/')}{STAFF_PAGE}#/requests/{row.id}" if public_url else None
    lines = [
        f"A consultation request was received on {row.received_at:%Y-%m-%d at %H:%M} UTC.",
        "",
        f"Reference: {row.id}",
        f"Open it: {place}" if place else "Open it on the staff page.",
    ]
    if row.quarantined:
        lines += ["", "It looks like spam; it was kept for you to judge."]
    return Letter(recipient, "A consultation request was received", _text(lines), delivery.id)


def to_submitter(session: Session, *, delivery: Delivery, keyring: Keyring) -> Letter | None:
    """The request has arrived. `None` where it was erased meanwhile."""
    row = find_request(session, request_id=delivery.subject)
    sent = open_request(row, keyring=keyring) if row else None
    if row is None or sent is None or not sent["email"]:
        return None
    form = find_words(session)
    step = next_step(row.state, status=find_status(session), form=form)
    name = find_clinic(session).name
    subject = f"Your request to {name}" if name else "Your request"
    lines = [step.text, "", f"Reference: {row.id}", "", form.safety_notice]
    return Letter(sent["email"], subject, _text(lines), delivery.id)


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
