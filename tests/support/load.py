"""Clients that send consultation requests without a pause."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlmodel import Session, select

from api.server import open_keyring
from data.database import open_database
from data.intake.sealed import open_request
from models.consultation_request import ConsultationRequest
from tests.support.apps import settings_in
from tests.support.intake import JSON, PATH, body_of
from tests.support.waiting import PATIENCE, wait_for

CLIENTS = 8


class Load:
    """Eight clients that send requests, each with its own key, and record each answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accepted: dict[str, str] = {}
        self.refused: list[str] = []
        self.times: list[float] = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(n,)) for n in range(CLIENTS)]

    def _send(self, client_number: int) -> None:
        with httpx.Client(base_url=self.url, headers=JSON, timeout=PATIENCE) as client:
            number = 0
            while not self.stopped.is_set():
                number += 1
                self.post(client, f"client-{client_number}-{number}")

    def post(self, client: httpx.Client, name: str) -> None:
        """Sends a request; its name is also its key. The answer is a 201 or a 503."""
        answer = client.post(PATH, content=body_of(name=name), headers={"Idempotency-Key": name})
        if answer.status_code == 201:
            self.accepted[answer.json()["id"]] = name
            self.times.append(time.monotonic())
        else:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
            self.refused.append(name)

    def wait_for_more(self, count: int) -> None:
        """Waits until `count` more requests are accepted."""
        enough = len(self.accepted) + count
        wait_for(lambda: len(self.accepted) >= enough)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs the clients; at the end each one receives its last answer."""
        for thread in self.threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in self.threads:
                thread.join()


def stored_names(folder: Path) -> dict[str, str]:
    """The name in each stored request of a folder's database, by the request's id."""
    settings = settings_in(folder)
    engine = open_database(settings.database_url)
    keyring = open_keyring(engine, settings)
    with Session(engine) as session:
        rows = session.exec(select(ConsultationRequest)).all()
        kept = {row.id: (open_request(row, keyring=keyring) or {})["name"] for row in rows}
    engine.dispose()
    return kept
