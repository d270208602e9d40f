"""The sandbox: the same clinic in every state, for whoever builds a frontend."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.support.demo import EXPECTED, demonstrating, first_of_four
from tests.support.intake import JSON, PATH, body_of
from tests.support.waiting import PATIENCE


@pytest.mark.database("sqlite")
def test_four_clinics_side_by_side(folder: Path) -> None:
    """Each answers as its state says, however often; one signal ends all of them."""
    with demonstrating(folder, first_of_four()) as (process, told):
        assert list(told) == list(EXPECTED)
        for name, url in told.items():
            status, state, mode = EXPECTED[name]
            with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                answer = client.get("/v1/status").json()
                assert (answer["state"], answer["consultations"]["mode"]) == (state, mode)
                form = client.get(f"{PATH}/form").json()
                assert form["accepting"] is (status == 201)
                body = body_of(form_version=form["version"])
                for _ in range(2):
                    sent = client.post(PATH, content=body, headers=JSON)
                    assert sent.status_code == status, name
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
        for url in told.values():
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}/v1/status")
