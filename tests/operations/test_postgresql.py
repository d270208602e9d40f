"""A PostgreSQL server that stops and starts again while the service is under load."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.server import open_audit
from data.crypto import write_keyring
from data.database import open_database
from tests.support.apps import set_status, settings_in
from tests.support.clinic import prepare_database
from tests.support.databases import Cluster, use
from tests.support.intake import JSON
from tests.support.load import Load, stored_names
from tests.support.process import serving
from tests.support.repetitions import repetitions


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A server for one test, with an open clinic in `tmp_path`."""
    cluster = Cluster()
    url = cluster.create()
    use(tmp_path, url)
    write_keyring(tmp_path / "keyring.json", generated=True)
    prepare_database(tmp_path)
    engine = open_database(url)
    open_audit(engine, settings_in(tmp_path))
    set_status(engine, state="open")
    engine.dispose()
    yield cluster
    cluster.remove()


@pytest.mark.parametrize("stops", repetitions(2, soak=12))
def test_restarts_of_the_server(tmp_path: Path, own_cluster: Cluster, stops: int) -> None:
    """While the server restarts, each request gets 201 or 503; each 201 is stored once.

    A client with a 503 repeats its request with the same key; this one is stored once too.
    """
    with serving(tmp_path, workers=2) as service:
        load = Load(service.url)
        with load.running():
            for _ in range(stops):
                load.wait_for_more(50)
                own_cluster.stop_at_once()
                time.sleep(0.2)
                own_cluster.start_again()
                back = time.monotonic()
                load.wait_for_more(1)
                # An idle machine needs less than a second; a busy one may need several.
                assert time.monotonic() - back < 20
        assert load.refused
        with service.client(headers=JSON) as client:
            for name in load.refused.copy():
                load.post(client, name)

    stored = stored_names(tmp_path)
    assert load.accepted.items() <= stored.items()
    assert len(set(stored.values())) == len(stored)
    assert set(load.refused) <= set(stored.values())
