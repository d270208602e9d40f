"""`python main.py demo`: one clinic in each state, for developers of frontends."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.support.clinic import CLINIC
from tests.support.demo import EXPECTED, first_port, running_demo
from tests.support.intake import JSON, PATH, body_of
from tests.support.waiting import PATIENCE


@pytest.mark.database("sqlite")
def test_five_clinics_side_by_side(folder: Path) -> None:
    """Each demo clinic answers as its state requires, and one signal ends all of them.

    They are the clinic of CLINIC_CONTENT.
    """
    named = {"CLINIC_CONTENT": str(CLINIC)}
    with running_demo(folder, first_port(), **named) as (process, addresses):
        assert list(addresses) == list(EXPECTED)
        for name, url in addresses.items():
            status, state, mode = EXPECTED[name]
            with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                answer = client.get("/v1/status").json()
                assert (answer["state"], answer["consultations"]["mode"]) == (state, mode)
                assert client.get("/v1/sections/first-visit").is_success
                form = client.get(f"{PATH}/form").json()
                assert form["accepting"] is (status == 201)
                body = body_of(form_version=form["version"])
                for _ in range(2):
                    sent = client.post(PATH, content=body, headers=JSON)
                    assert sent.status_code == status, name
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
        for url in addresses.values():
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}/v1/status")
