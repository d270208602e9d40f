"""Rate limits of consultation requests by address."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.apps import client_of, running, set_status
from tests.support.intake import bearer, count, post, problem
from tests.support.process import ROOT


async def test_over_the_rate_is_429(folder: Path) -> None:
    """Over the limit the answer is 429 with `Retry-After` and `RateLimit`; nothing is stored."""
    async with running(folder, intake_rate="3 per hour") as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        accepted = [await post(client) for _ in range(3)]
        assert {answer.status_code for answer in accepted} == {201}
        refused = await post(client)
        problem(refused, 429, "too-many-requests")
        wait = int(refused.headers["Retry-After"])
        assert 0 < wait <= 3600
        assert refused.headers["RateLimit-Policy"] == '"intake";q=3;w=3600'
        assert refused.headers["RateLimit"] == f'"intake";r=0;t={wait}'
        assert count(app.state.runtime.engine) == 3
        # The limit does not apply to receipts, withdrawals and public reads.
        location, headers = accepted[0].headers["Location"], bearer(accepted[0])
        assert (await client.get(location, headers=headers)).status_code == 200
        assert (await client.post(f"{location}/withdrawal", headers=headers)).status_code == 200
        assert (await client.get("/v1/status")).status_code == 200


async def test_refused_requests_count(folder: Path) -> None:
    """Malformed, invalid and refused requests count for the limit."""
    async with running(folder, intake_rate="3 per hour") as app, client_of(app) as client:
        problem(await post(client), 410, "clinic-permanently-closed")
        set_status(app.state.runtime.engine, state="open")
        problem(await post(client, b"{"), 400, "malformed-json")
        problem(await post(client, b"{}"), 422, "invalid-request")
        problem(await post(client), 429, "too-many-requests")


async def test_a_request_after_retry_after(folder: Path) -> None:
    """A request after the seconds in `Retry-After` is accepted."""
    async with running(folder, intake_rate="2 per 2 seconds") as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        # On a slow machine the first requests fall into two windows.
        for _ in range(100):
            refused = await post(client)
            if refused.status_code == 429:
                break
        problem(refused, 429, "too-many-requests")
        await asyncio.sleep(int(refused.headers["Retry-After"]))
        assert (await post(client)).status_code == 201


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
async def test_addresses_that_share_a_limit(
    folder: Path, first: str, second: str, shared: bool
) -> None:
    """Each IPv4 address and each IPv6 network of 64 bits has its own limit."""
    async with running(folder, intake_rate="1 per hour") as app:
        set_status(app.state.runtime.engine, state="open")
        async with client_of(app, first) as one, client_of(app, second) as two:
            assert (await post(one)).status_code == 201
            assert (await post(one)).status_code == 429
            assert (await post(two)).status_code == (429 if shared else 201)


async def test_a_larger_network_has_a_limit_too(folder: Path) -> None:
    """An IPv6 network of 56 bits may send ten times the limit of an address.

    A refused request does not count for the network.
    """
    async with running(folder, intake_rate="1 per hour") as app:
        set_status(app.state.runtime.engine, state="open")

        async def sent_from(network: str) -> httpx.Response:
            async with client_of(app, f"{network}::1") as client:
                return await post(client)

        for number in range(10):
            answer = await sent_from(f"2001:db8:0:{number:x}")
            assert answer.status_code == 201
            assert (await sent_from(f"2001:db8:0:{number:x}")).status_code == 429
        assert answer.headers["RateLimit"].startswith('"intake";r=0;')
        refused = await sent_from("2001:db8:0:ff")
        problem(refused, 429, "too-many-requests")
        assert refused.headers["RateLimit-Policy"] == '"intake";q=10;w=3600'
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert (await sent_from("2001:db8:0:100")).status_code == 201


async def test_forwarded_addresses_are_ignored(folder: Path) -> None:
    """Forwarded addresses from a peer that is not a trusted proxy are ignored."""
    async with running(folder, intake_rate="1 per hour") as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        assert (await post(client)).status_code == 201
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            value = "for=203.0.113.9" if name == "Forwarded" else "203.0.113.9"
            problem(await post(client, headers={name: value}), 429, "too-many-requests")


async def test_an_empty_rate_is_no_limit(client: httpx.AsyncClient, open_clinic: None) -> None:
    """With an empty setting there is no limit."""
    assert {(await post(client)).status_code for _ in range(31)} == {201}


FLOOD = """
import resource
from api.http.rates import AddressLimiter
from api.problems.http_problems import TooManyRequests

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB

def is_refused(address):
    try:
        limiter.hit(address)
    except TooManyRequests:
        return True
    return False

limiter = AddressLimiter("intake", "1 per hour")
before = peak()
for number in range(100_000):
    limiter.hit(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
own = is_refused("10.0.0.0") and is_refused("10.1.0.0")
for number in range(60_000):
    limiter.hit(f"2001:{number >> 16:x}:{number & 0xffff:x}::1")
print(peak() - before, own and is_refused(f"2001:{number >> 16:x}:{number & 0xffff:x}::2"))
"""


def test_many_addresses_use_little_memory() -> None:
    """160,000 addresses use at most 40 MB, and each one is counted."""
    ran = subprocess.run(
        [sys.executable, "-c", FLOOD], cwd=ROOT, capture_output=True, text=True, check=True
    )
    grown, is_refused = ran.stdout.split()
    assert int(grown) <= 40 * 1024
    assert is_refused == "True"
