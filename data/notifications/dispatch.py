"""Sends the messages of the outbox, each at least once: Standard Webhooks and e-mail."""

import asyncio
import base64
import hashlib
import hmac
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from data import outbox
from data.crypto import Keyring
from data.database import reading
from data.notifications import outbound
from data.notifications.mailer import Mailer, MailSettings
from data.notifications.webhooks import end_webhook, secret_location
from data.write_queue import WriteQueue, WriteQueueTimeout
from models.delivery import (
    CANCELLED,
    DELIVERED,
    RECIPIENT,
    Channel,
    Delivery,
    DeliveryState,
)
from models.webhook import Webhook

_MAX_RUNNING = 20
# With 410 (Gone) a receiver says that it wants no more messages.
_GONE = "http_410"

# A delivery, the outcome of the attempt (a word), and the duration of the attempt.
EndedAttempt = tuple[Delivery, str, timedelta]


@dataclass(frozen=True)
class DeliverySettings:
    """How to send e-mail, and the internal networks that webhooks may reach."""

    mail: MailSettings
    allowed: tuple[outbound.Network, ...]


class Dispatcher:
    """Claims due deliveries and sends them. Few run at once, so that the API stays responsive."""

    def __init__(
        self,
        engine: Engine,
        *,
        settings: DeliverySettings,
        keyring: Keyring,
        queue: WriteQueue,
    ) -> None:
        self._engine = engine
        self._allowed = settings.allowed
        self._mailer = Mailer(engine, settings=settings.mail, keyring=keyring)
        self._keyring = keyring
        self._queue = queue
        self._running: set[asyncio.Task[None]] = set()
        self._ended: list[EndedAttempt] = []

    async def send_due(self) -> None:
        """Records the attempts that have ended, and starts the deliveries that are due.

        Both use one transaction, because each transaction delays the writers of requests.
        """
        free = _MAX_RUNNING - len(self._running)
        if not self._ended and not (free and await asyncio.to_thread(self._is_due)):
            return
        ended, self._ended = self._ended, []
        try:
            claimed = await self._queue.write(
                partial(self._record_and_claim, ended=ended, limit=free)
            )
        except (SQLAlchemyError, WriteQueueTimeout):
            self._ended = ended + self._ended
            raise
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self, *, seconds: float) -> None:
        """Waits for running attempts, and cancels those that take longer than `seconds`.

        A cancelled attempt is repeated after its lease.
        """
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._ended:
            with suppress(SQLAlchemyError, WriteQueueTimeout):
                await self._queue.write(partial(self._record_and_claim, ended=self._ended, limit=0))

    async def _deliver(self, delivery: Delivery) -> None:
        begun = time.monotonic()
        outcome = await self._attempt(delivery)
        took = timedelta(seconds=time.monotonic() - begun)
        self._mailer.log_outcome(delivery, outcome)
        self._ended.append((delivery, outcome, took))

    async def _attempt(self, delivery: Delivery) -> str:
        """The outcome in a word. Of the receiver's answer it contains only the status code."""
        try:
            if delivery.channel == Channel.WEBHOOK:
                return await self._post(delivery)
            return await asyncio.to_thread(self._mailer.send, delivery)
        except outbound.AddressRefused:
            return "address_refused"
        except TimeoutError:
            return "timeout"
        except OSError:
            return "unreachable"
        except Exception as error:
            return type(error).__name__

    async def _post(self, delivery: Delivery) -> str:
        found = await asyncio.to_thread(self._find_webhook, delivery)
        if found is None:
            return CANCELLED
        url, secret = found
        content = delivery.payload.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "clinic-api",
            **signature(secret, message_id=delivery.id, content=content),
        }
        status = await outbound.post(url, content=content, headers=headers, allowed=self._allowed)
        return DELIVERED if 200 <= status < 300 else f"http_{status}"

    def _find_webhook(self, delivery: Delivery) -> tuple[str, bytes] | None:
        with reading(self._engine) as session:
            hook = session.get(Webhook, delivery.webhook_id)
            if hook is None or hook.sealed_secret is None:
                return None
            location = secret_location(hook.id)
            return hook.url, self._keyring.unseal(hook.sealed_secret, location=location)

    def _record_and_claim(
        self, session: Session, *, ended: list[EndedAttempt], limit: int
    ) -> list[Delivery]:
        # The order in which the outbox locks several deliveries, so that there is no deadlock.
        for delivery, outcome, took in sorted(ended, key=lambda attempt: attempt[0].id):
            outbox.record_attempt(
                session,
                delivery=delivery,
                outcome=outcome,
                took=took,
                final_state=_final_state(delivery, outcome),
            )
            if outcome == _GONE and delivery.webhook_id:
                end_webhook(session, webhook_id=delivery.webhook_id)
        claimed = outbox.claim(session, limit=limit) if limit else []
        return self._mailer.within_limit(session, claimed=claimed)

    def _is_due(self) -> bool:
        with reading(self._engine) as session:
            return outbox.is_due(session)


def signature(secret: bytes, *, message_id: str, content: bytes) -> dict[str, str]:
    """The header fields of Standard Webhooks, signed with HMAC-SHA256 (`v1`)."""
    timestamp = str(int(time.time()))
    signed = f"{message_id}.{timestamp}.".encode() + content
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _final_state(delivery: Delivery, outcome: str) -> DeliveryState | None:
    if outcome == DELIVERED:
        return DeliveryState.DELIVERED
    # The clinic cannot correct a patient's address. After SMTP's 4xx the next attempt may succeed.
    is_lost = outcome.startswith(RECIPIENT) and not outcome.startswith(f"{RECIPIENT}4")
    if (is_lost and delivery.channel == Channel.SUBMITTER_EMAIL) or outcome in (CANCELLED, _GONE):
        return DeliveryState.CANCELLED
    return None
