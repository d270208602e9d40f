"""A running service with an open clinic, and helpers that wait for its deliveries."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, update
from sqlmodel import col

from models.delivery import Delivery
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.staff import STAFF, signed_in
from tests.support.waiting import wait_until

# The mail servers of the tests offer no TLS unless they have a certificate.
MAIL = {
    "mail_from": "service@clinic.test",
    "public_url": "https://api.clinic.test",
    "smtp_plain": "127.0.0.1",
}
EVENTS = [
    "request.received",
    "request.changed",
    "request.withdrawn",
    "status.changed",
]
CANARIES = {
    "name": "Canary-Name-71",
    "email": "canary-mail-71@example.com",
    "phone": "(503) 227-1212",
    "message": "canary message 71",
}


@dataclass
class OpenService:
    """A running service whose clinic is open, and a member of its staff."""

    app: FastAPI
    client: httpx.AsyncClient
    staff: dict[str, str]

    @property
    def engine(self) -> Engine:
        engine: Engine = self.app.state.runtime.engine
        return engine

    async def hook(self, url: str, *events: str) -> dict[str, Any]:
        """Creates a webhook, for all events by default; returns it with its secret."""
        made = await self.client.post(
            f"{STAFF}/webhooks", json={"url": url, "events": events or EVENTS}, headers=self.staff
        )
        assert made.status_code == 201, made.text
        issued: dict[str, Any] = made.json()
        return issued

    async def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        """One page of the deliveries."""
        answer = await self.client.get(f"{STAFF}/deliveries{query}", headers=self.staff)
        assert answer.status_code == 200, answer.text
        page: list[dict[str, Any]] = answer.json()["data"]
        return page

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until the condition is true."""

        async def is_true() -> object:
            return condition()

        await wait_until(is_true)

    async def until_tried(self, times: int = 1) -> dict[str, Any]:
        """Waits until the newest delivery has this many attempts, and returns it."""

        async def tried() -> bool:
            found = await self.deliveries()
            return bool(found) and len(found[0]["attempts"]) >= times

        await wait_until(tried)
        return (await self.deliveries())[0]

    async def until_all_are_tried(self, times: int = 1) -> list[dict[str, Any]]:
        """Waits until each delivery has this many attempts or is finished; returns all."""

        async def tried() -> bool:
            return all(
                len(delivery["attempts"]) >= times or delivery["finished_at"]
                for delivery in await self.deliveries()
            )

        await wait_until(tried)
        return await self.deliveries()

    def make_retries_due(self) -> None:
        """Makes every delivery that waits for its next attempt due now."""
        with self.engine.execution_options(writes=True).begin() as connection:
            connection.execute(
                update(Delivery)
                .where(col(Delivery.next_attempt_at).is_not(None))
                .values(next_attempt_at=utc_now())
            )


@asynccontextmanager
async def open_service(folder: Path, **changes: object) -> AsyncIterator[OpenService]:
    """Runs a service with an open clinic and a member of staff who has all scopes."""
    async with running(folder, **changes) as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        yield OpenService(app, client, signed_in(app.state.runtime.engine))


def text_of(letter: Message) -> str:
    """The decoded body of an e-mail."""
    content = letter.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()
