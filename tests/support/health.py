"""Reads the health checks of the service."""

import httpx

from tests.support.waiting import wait_until

READY = "/health/ready"


async def failed_checks(client: httpx.AsyncClient) -> list[str]:
    """The names of the failed checks; asserts that the whole answer is well formed."""
    answer = await client.get(READY)
    document = answer.json()
    assert set(document) == {"status", "checks"}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    status, retry = (200, False) if document["status"] == "ready" else (503, True)
    assert (answer.status_code, "Retry-After" in answer.headers) == (status, retry)
    for check in document["checks"]:
        assert set(check) == {"name", "status", "detail"}
        assert check["status"] in ("ok", "failed")
        assert check["detail"]
    failed = [check["name"] for check in document["checks"] if check["status"] == "failed"]
    assert (status == 503) is bool(set(failed) - {"mail", "deliveries"})
    return failed


async def not_ready(client: httpx.AsyncClient, check: str = "database") -> None:
    """Waits until a check has failed; the service stores its last result for some seconds."""

    async def has_failed() -> bool:
        return check in await failed_checks(client)

    await wait_until(has_failed)


async def ready_again(client: httpx.AsyncClient) -> None:
    """Waits until all required checks succeed."""

    async def is_ready() -> bool:
        return (await client.get(READY)).status_code == 200

    await wait_until(is_ready)
