"""Sends the letters of the outbox, within the limit for each recipient."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from data import outbox
from data.crypto import Keyring, SealBroken
from data.database import reading
from data.intake.requests import find_request
from data.intake.sealed import open_request
from data.notifications import letters
from data.notifications.mail_health import is_mail_fault
from data.notifications.smtp import Letter, MailServer, send_letter
from data.sent_letters import record_letter
from models.delivery import CANCELLED, DELIVERED, OVER_LIMIT, Channel, Delivery, DeliveryState

log = logging.getLogger("clinic_api")


@dataclass(frozen=True)
class MailSettings:
    """The server that sends letters, the clinic's address, the URLs in letters, and the limit."""

    server: MailServer | None
    notify_to: str | None
    public_url: str | None
    receipt_url: str | None
    letters_per_recipient: int


class Mailer:
    """Sends letters, and logs when sending begins to fail and when it works again."""

    def __init__(self, engine: Engine, *, settings: MailSettings, keyring: Keyring) -> None:
        self._engine = engine
        self._settings = settings
        self._keyring = keyring
        self._is_failing = False

    def send(self, delivery: Delivery) -> str:
        """Sends a letter; returns the outcome in a word. Raises `SealBroken`."""
        server = self._settings.server
        if server is None:
            return CANCELLED
        letter = self._write(delivery.id)
        return send_letter(letter, server=server) if letter else CANCELLED

    def within_limit(self, session: Session, *, claimed: list[Delivery]) -> list[Delivery]:
        """Returns the deliveries within the limit, and cancels the others."""
        over = [delivery for delivery in claimed if not self._is_allowed(session, delivery)]
        for delivery in over:
            outbox.record_attempt(
                session,
                delivery=delivery,
                outcome=OVER_LIMIT,
                took=timedelta(),
                final_state=DeliveryState.CANCELLED,
            )
        return [delivery for delivery in claimed if delivery not in over]

    def log_outcome(self, delivery: Delivery, outcome: str) -> None:
        """Logs the first failure, and the first success after it, but no others."""
        if is_mail_fault(delivery.channel, outcome) and not self._is_failing:
            self._is_failing = True
            log.error("e-mail cannot be sent: %s", outcome)
        elif delivery.channel != Channel.WEBHOOK and outcome == DELIVERED and self._is_failing:
            self._is_failing = False
            log.warning("e-mail is sent again")

    def _is_allowed(self, session: Session, delivery: Delivery) -> bool:
        # Letters to the clinic have no limit, and a letter counts only at its first attempt.
        if delivery.channel != Channel.SUBMITTER_EMAIL or delivery.attempts > 1:
            return True
        row = find_request(session, request_id=delivery.subject)
        try:
            sent = open_request(row, keyring=self._keyring) if row else None
        except SealBroken:
            # The attempt to send the letter raises the same exception, which is then recorded.
            return True
        if sent is None or not sent["email"]:
            return True
        return record_letter(
            session,
            recipient=sent["email"],
            keyring=self._keyring,
            limit=self._settings.letters_per_recipient,
        )

    def _write(self, delivery_id: str) -> Letter | None:
        with reading(self._engine) as session:
            delivery = session.get(Delivery, delivery_id)
            if delivery is None:
                return None
            if delivery.channel == Channel.SUBMITTER_EMAIL:
                return letters.to_submitter(
                    session,
                    delivery=delivery,
                    keyring=self._keyring,
                    receipt_url=self._settings.receipt_url,
                )
            return letters.to_clinic(
                session,
                delivery=delivery,
                recipient=self._settings.notify_to,
                public_url=self._settings.public_url,
            )
