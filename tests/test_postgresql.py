"""What a server of its own may do to the service: go away and come back."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select

from api.server import open_keyring, prepare
from data.consultation_requests import open_request
from data.crypto import write_keyring
from data.database import open_database
from data.schema import migrate
from models.consultation_request import ConsultationRequest
from tests.conftest import set_status, settings_in
from tests.databases import Cluster, use
from tests.intake import JSON, PATH, body_of
from tests.process import serving
from tests.waiting import PATIENCE, wait_for

STOPS = 4
CLIENTS = 8


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A server that only this test uses, with an open clinic in `tmp_path`."""
    cluster = Cluster()
    url = cluster.create()
    use(tmp_path, url)
    write_keyring(tmp_path / "keyring.json", generated=True)
    engine = open_database(url)
    migrate(engine)
    prepare(settings_in(tmp_path))
    set_status(engine, state="open")
    engine.dispose()
    yield cluster
    cluster.remove()


class Load:
    """Clients that send requests, each under a key of its own, and note what they are told."""

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
        answer = client.post(PATH, content=body_of(name=name), headers={"Idempotency-Key": name})
        if answer.status_code == 201:
            self.accepted[answer.json()["id"]] = name
            self.times.append(time.monotonic())
        else:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
            self.refused.append(name)

    def wait_for_more(self, count: int) -> None:
        enough = len(self.accepted) + count
        wait_for(lambda: len(self.accepted) >= enough)


def test_a_server_that_stops_at_once_loses_nothing(tmp_path: Path, own_cluster: Cluster) -> None:
    """Under load, stopped and started again: 201 or 503, each 201 is there once, and at once more.

    Who got a 503 sends the same again under its key, and is stored once too.
    """
    with serving(tmp_path, workers=2) as service:
        load = Load(service.url)
        for thread in load.threads:
            thread.start()
        for _ in range(STOPS):
            load.wait_for_more(50)
            own_cluster.stop_at_once()
            time.sleep(0.2)
            own_cluster.start_again()
            back = time.monotonic()
            load.wait_for_more(1)
            # Well within a second; a busy machine may take many.
            assert time.monotonic() - back < 20
        load.stopped.set()
        for thread in load.threads:
            thread.join()
        assert load.refused
        with service.client(headers=JSON) as client:
            for name in load.refused.copy():
                load.post(client, name)

    settings = settings_in(tmp_path)
    engine = open_database(settings.database_url)
    keyring = open_keyring(engine, settings)
    with Session(engine) as session:
        rows = session.exec(select(ConsultationRequest)).all()
        kept = {row.id: (open_request(row, keyring=keyring) or {})["name"] for row in rows}
    engine.dispose()
    assert load.accepted.items() <= kept.items()
    assert len(set(kept.values())) == len(kept)
    assert set(load.refused) <= set(kept.values())
