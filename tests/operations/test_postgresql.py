"""What a server of its own may do to the service: go away and come back."""

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
from tests.support.load import Load, names_kept
from tests.support.process import serving

STOPS = 4


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A server that only this test uses, with an open clinic in `tmp_path`."""
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


def test_a_server_that_stops_at_once_loses_nothing(tmp_path: Path, own_cluster: Cluster) -> None:
    """Under load, stopped and started again: 201 or 503, each 201 is there once, and at once more.

    Who got a 503 sends the same again under its key, and is stored once too.
    """
    with serving(tmp_path, workers=2) as service:
        load = Load(service.url)
        with load.running():
            for _ in range(STOPS):
                load.wait_for_more(50)
                own_cluster.stop_at_once()
                time.sleep(0.2)
                own_cluster.start_again()
                back = time.monotonic()
                load.wait_for_more(1)
                # Well within a second; a busy machine may take many.
                assert time.monotonic() - back < 20
        assert load.refused
        with service.client(headers=JSON) as client:
            for name in load.refused.copy():
                load.post(client, name)

    kept = names_kept(tmp_path)
    assert load.accepted.items() <= kept.items()
    assert len(set(kept.values())) == len(kept)
    assert set(load.refused) <= set(kept.values())
