"""Status changes by staff: immediate, planned, called off, backdated and tried."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import Session, select

from api.runtime import Runtime
from data.documents.content_version import find_content_version
from data.documents.next_change import find_next_change
from data.operations.upkeep import run_upkeep
from models.audit import Action, AuditEvent
from models.consultation_request import ConsultationRequest
from models.delivery import Delivery
from models.status_change import StatusChange, StatusChangeCallingOff
from tests.support.apps import client_of, let_plans_take_effect, running
from tests.support.intake import bearer, count, faults, post, problem
from tests.support.staff import STAFF, signed_in
from tests.support.waiting import wait_until

CHANGES = f"{STAFF}/status-changes"
CLOSING = {"state": "permanently_closed", "confirm": "permanently_closed"}

pytestmark = pytest.mark.usefixtures("open_clinic")


def later(**given: float) -> str:
    """A time from now, in ISO 8601."""
    return (datetime.now(UTC) + timedelta(**given)).isoformat()


class Desk:
    """A member of staff who changes the status, and reads what the changes did."""

    def __init__(self, client: httpx.AsyncClient, runtime: Runtime) -> None:
        self.client, self.runtime, self.engine = client, runtime, runtime.engine
        self.headers = signed_in(runtime.engine)

    async def send(self, query: str, change: dict[str, object]) -> httpx.Response:
        return await self.client.post(f"{CHANGES}{query}", json=change, headers=self.headers)

    async def change(self, **change: object) -> httpx.Response:
        return await self.send("", change)

    async def dry_run(self, **change: object) -> httpx.Response:
        return await self.send("?dry_run=true", change)

    async def plan(self, **change: object) -> dict[str, Any]:
        answer = await self.change(**change)
        assert answer.status_code == 201, answer.text
        planned: dict[str, Any] = answer.json()
        assert planned["status"] == "planned"
        return planned

    async def plan_soon(self, **change: object) -> dict[str, Any]:
        """Plans a change that takes effect in 0.7 s, or later on a busy machine."""
        for seconds in (0.7, 3, 12):
            answer = await self.change(**change, effective_from=later(seconds=seconds))
            if answer.status_code == 201:
                break
        planned: dict[str, Any] = answer.json()
        assert planned["status"] == "planned"
        return planned

    async def run_upkeep(self) -> None:
        await run_upkeep(self.engine, retention={}, queue=self.runtime.write_queue)

    def next_change(self) -> datetime | None:
        with Session(self.engine) as session:
            return find_next_change(session)

    async def call_off(self, change_id: object) -> httpx.Response:
        return await self.client.delete(f"{CHANGES}/{change_id}", headers=self.headers)

    async def page(self, query: str = "") -> dict[str, Any]:
        answer = await self.client.get(f"{CHANGES}{query}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    async def states(self) -> list[tuple[str, str]]:
        """State and status of each change, the latest effect first."""
        return [(c["state"], c["status"]) for c in (await self.page())["data"]]

    async def status(self) -> dict[str, Any]:
        document: dict[str, Any] = (await self.client.get("/v1/status")).json()
        return document

    def actions(self) -> list[tuple[str, str | None]]:
        """Action and subject of the audit events about the status."""
        with Session(self.engine) as session:
            events = session.exec(select(AuditEvent).order_by("id")).all()
        return [(e.action, e.subject) for e in events if e.action.startswith("status.")]

    def requests(self) -> list[str]:
        """The states of all consultation requests."""
        with Session(self.engine) as session:
            return list(session.exec(select(ConsultationRequest.state)))


@pytest.fixture
def desk(client: httpx.AsyncClient, app: FastAPI) -> Desk:
    return Desk(client, app.state.runtime)


async def wait_until_past(instant: str) -> None:
    async def is_past() -> bool:
        return datetime.now(UTC) > datetime.fromisoformat(instant)

    await wait_until(is_past)


def ids(changes: list[dict[str, Any]]) -> list[str]:
    return [change["id"] for change in changes]


async def test_a_planned_closure_is_called_off(desk: Desk) -> None:
    """Opening reports the planned closure; once called off it closes nothing."""
    planned = desk.next_change()
    closure = await desk.plan(**CLOSING, effective_from=later(hours=1))
    await post(desk.client)
    opened = (await desk.change(state="open")).json()
    assert (opened["status"], ids(opened["planned"])) == ("in_effect", [closure["id"]])
    assert (await desk.status())["next_change"]["state"] == "permanently_closed"
    before = (await desk.status())["updated_at"]

    called_off = await desk.call_off(closure["id"])
    assert called_off.status_code == 200
    assert called_off.headers["Cache-Control"] == "no-store"
    assert called_off.json()["status"] == "called_off"
    assert called_off.json()["effective_from"] == closure["effective_from"]
    status = await desk.status()
    assert (status["state"], status["next_change"]) == ("open", None)
    assert status["updated_at"] > before
    assert desk.next_change() == planned

    let_plans_take_effect(desk.engine)
    await desk.run_upkeep()
    assert await desk.status() == status
    assert desk.requests() == ["received"]
    history = (await desk.client.get("/v1/status/history")).json()
    assert [c["state"] for c in history["data"]] == ["open", "open", "permanently_closed"]
    assert history["meta"]["total"] == 3
    assert (await desk.states())[0] == ("permanently_closed", "called_off")


async def test_a_planned_closure_takes_effect(desk: Desk) -> None:
    """A planned closure closes out the open requests at its time, and not before."""
    await post(desk.client)
    closure = await desk.plan_soon(**CLOSING)
    assert (closure["closes_out"], closure["handover_export"]) == (1, None)
    assert desk.requests() == ["received"]
    await wait_until_past(closure["effective_from"])
    problem(await post(desk.client), 410, "clinic-permanently-closed")
    await desk.run_upkeep()
    assert desk.requests() == ["closed_out"]
    problem(await desk.call_off(closure["id"]), 409, "already-in-effect")


async def test_all_changes_are_listed(desk: Desk) -> None:
    """The list has all changes, the latest effect first; the public history has no plans."""
    spring = await desk.plan(state="open", effective_from=later(days=200))
    await desk.plan(state="temporarily_closed", effective_from=later(days=100))
    await desk.call_off(spring["id"])
    await desk.change(state="open", mode="waitlist")
    everything = await desk.page()
    assert [(c["state"], c["status"]) for c in everything["data"]] == [
        ("open", "called_off"),
        ("temporarily_closed", "planned"),
        ("open", "in_effect"),
        ("open", "past"),
        ("permanently_closed", "past"),
    ]
    assert everything["meta"] == {"total": 5, "next_cursor": None, "clinic_state": "open"}
    paged: list[dict[str, Any]] = []
    query = "?limit=2"
    while query:
        page = await desk.page(query)
        paged += page["data"]
        cursor = page["meta"]["next_cursor"]
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert paged == everything["data"]
    history = (await desk.client.get("/v1/status/history")).json()
    assert [c["state"] for c in history["data"]] == ["open", "open", "permanently_closed"]


async def test_calling_off(desk: Desk) -> None:
    """Calling off a change a second time answers the same and records nothing."""
    change = await desk.plan(state="temporarily_closed", effective_from=later(days=1))
    first, second = await desk.call_off(change["id"]), await desk.call_off(change["id"])
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert desk.actions()[-2:] == [
        ("status.changed", change["id"]),
        ("status.called_off", change["id"]),
    ]
    events = f"{STAFF}/audit-events?subject={change['id']}"
    found = (await desk.client.get(events, headers=desk.headers)).json()
    assert found["meta"]["total"] == 2
    in_effect = next(c for c in (await desk.page())["data"] if c["status"] == "in_effect")
    problem(await desk.call_off(in_effect["id"]), 409, "already-in-effect")
    for unknown in ("999999999", 2**31, 2**63, 10**30, "0", "01", "-1", "1.0", "x", "%00", "١"):
        problem(await desk.call_off(unknown), 404, "not-found")


async def test_permanent_closure_calls_off_all_plans(desk: Desk) -> None:
    """A permanent closure calls off every planned change, and lists them."""
    plans = [await desk.plan(state="open", effective_from=later(days=d)) for d in (2, 1)]
    closed = (await desk.change(**CLOSING)).json()
    assert ids(closed["calls_off"]) == [plans[1]["id"], plans[0]["id"]]
    assert closed["planned"] == []
    assert (await desk.status())["next_change"] is None
    assert {c["status"] for c in (await desk.page())["data"][:2]} == {"called_off"}
    called_off = [subject for action, subject in desk.actions() if action == "status.called_off"]
    assert called_off == ids(closed["calls_off"])


async def test_a_planned_closure_calls_off_later_plans(desk: Desk) -> None:
    """A planned closure calls off the plans for its time or later, and keeps earlier ones."""
    instant = later(days=10)
    before = await desk.plan(state="temporarily_closed", effective_from=later(days=5))
    at_once = await desk.plan(state="open", effective_from=instant)
    after = await desk.plan(state="open", effective_from=later(days=20))
    closure = await desk.plan(**CLOSING, effective_from=instant)
    assert ids(closure["calls_off"]) == [at_once["id"], after["id"]]
    assert ids(closure["planned"]) == [before["id"], closure["id"]]
    # This plan is newer than the closure, so it is kept.
    reopening = await desk.plan(state="open", effective_from=later(days=30))
    assert ids(reopening["planned"]) == [before["id"], closure["id"], reopening["id"]]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "permanently_closed"},
        {"state": "permanently_closed", "effective_from": "2999-01-01T00:00:00Z"},
        {"state": "temporarily_closed", "reopens_on": "2999-05-01", "reopen": True},
        {"state": "open", "mode": "waitlist", "effective_from": "2999-01-01T00:00:00+02:00"},
    ],
)
async def test_a_dry_run(desk: Desk, change: dict[str, object]) -> None:
    """A dry run needs no confirmation, answers like the real change, and stores nothing."""
    await post(desk.client)
    await desk.plan(state="open", effective_from="2999-03-01T00:00:00Z")

    def traces() -> list[int]:
        tables = (StatusChange, StatusChangeCallingOff, Delivery)
        with Session(desk.engine) as session:
            changed = AuditEvent.action == Action.STATUS_CHANGED
            events = session.exec(select(AuditEvent).where(changed)).all()
            version = find_content_version(session)
        return [version, len(events), *(count(desk.engine, table) for table in tables)]

    before, status = traces(), await desk.status()
    tried = await desk.dry_run(**change)
    assert tried.status_code == 200, tried.text
    assert (traces(), await desk.status()) == (before, status)
    foreseen = tried.json()
    assert foreseen["id"] is None

    confirmed = {**change, "confirm": "permanently_closed"}
    done = (await desk.send("?dry_run=false", confirmed)).json()
    for answer in (foreseen, done):
        for entry in (answer, *answer["planned"]):
            for field in ("id", "recorded_at"):
                entry.pop(field)
        answer.pop("handover_export")
        if answer["status"] == "in_effect":
            answer.pop("effective_from")
    assert foreseen == done
    assert done["closes_out"] == (change["state"] == "permanently_closed")


async def test_a_dry_run_finds_the_same_faults(desk: Desk) -> None:
    """A dry run refuses an invalid change as the real change does."""
    tried = await desk.dry_run(state="open", effective_from="2020-01-01T00:00:00Z")
    assert faults(tried) == [("#/effective_from", "effective_from.past")]
    problem(await desk.send("?dry_run=maybe", {"state": "open"}), 400, "invalid-query")


async def test_a_change_in_the_past(desk: Desk) -> None:
    """A change in the past has to be marked as backdated; it takes effect at once."""
    long_ago = {"state": "temporarily_closed", "effective_from": "2020-05-01T12:00:00+02:00"}
    for given in ({}, {"backdated": False}, {"backdated": None}):
        refused = await desk.change(**long_ago, **given)
        assert faults(refused) == [("#/effective_from", "effective_from.past")]
    changed = (await desk.change(**long_ago, backdated=True)).json()
    assert (changed["status"], changed["effective_from"]) == ("in_effect", "2020-05-01T10:00:00Z")
    history = (await desk.client.get("/v1/status/history")).json()["data"]
    assert [c["state"] for c in history] == ["temporarily_closed", "open", "permanently_closed"]
    assert faults(await desk.change(**long_ago, backdated="yes"))[0][0] == "#/backdated"


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59.999999Z",
        "0002-01-01T00:00:00+14:00",
        "9998-12-31T23:59:59-14:00", "2030-01-01T00:00:00", "2030-01-01", "2030-02-30T00:00:00Z",
        "2030-01-01T25:00:00Z", "2030-01-01T00:00:00+99:99", "1893456000", 1893456000, True, [],
    ],
)  # fmt: skip
async def test_invalid_times(desk: Desk, instant: object) -> None:
    """A time that is out of range, without an offset, or a number is refused."""
    refused = await desk.change(state="open", effective_from=instant, backdated=True)
    assert [pointer for pointer, _ in faults(refused)] == ["#/effective_from"]


@pytest.mark.parametrize("instant", ["1900-01-01T00:00:00-14:00", "9998-12-31T23:59:59+14:00"])
async def test_times_near_the_limits(desk: Desk, instant: str) -> None:
    """Times near the limits of the calendar are accepted, served and listed."""
    change = {"state": "temporarily_closed", "effective_from": instant, "backdated": True}
    changed = await desk.change(**change, reopens_on="9999-12-31", reopen=True)
    assert changed.status_code == 201, changed.text
    assert changed.json()["planned"][-1]["effective_from"] == "9999-12-31T06:00:00Z"
    await desk.status()
    await desk.page()


async def test_a_closure_with_a_planned_reopening(desk: Desk) -> None:
    """A reopening is a change of its own, at the start of its day in the clinic's time zone."""
    closed = (
        await desk.change(state="temporarily_closed", reopens_on="2031-05-01", reopen=True)
    ).json()
    assert (closed["status"], closed["reopens_on"]) == ("in_effect", "2031-05-01")
    [opening] = closed["planned"]
    assert (opening["state"], opening["effective_from"]) == ("open", "2031-05-01T05:00:00Z")
    winter = await desk.plan(
        state="temporarily_closed",
        effective_from="2031-12-01T00:00:00-06:00",
        reopens_on="2032-01-10",
        reopen=True,
    )
    assert [(p["state"], p["effective_from"]) for p in winter["planned"]] == [
        ("open", "2031-05-01T05:00:00Z"),
        ("temporarily_closed", "2031-12-01T06:00:00Z"),
        ("open", "2032-01-10T06:00:00Z"),
    ]
    winter_closing = next(p for p in winter["planned"] if p["state"] == "temporarily_closed")
    assert winter_closing["id"] == winter["id"]
    assert (await desk.call_off(winter["id"])).status_code == 200
    assert (await desk.page())["data"][0]["status"] == "planned"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"state": "open", "reopen": True}, ("#", "body.inconsistent")),
        ({"state": "temporarily_closed", "reopen": True}, ("#", "body.inconsistent")),
        (
            {"reopens_on": "2031-04-30", "effective_from": "2031-05-01T12:00:00Z"},
            ("#/reopens_on", "reopens_on.too_early"),
        ),
        (
            {"reopens_on": "2031-05-01", "effective_from": "2031-05-01T12:00:00Z", "reopen": True},
            ("#/reopens_on", "reopens_on.too_early"),
        ),
        ({"reopens_on": "2020-05-01", "reopen": True}, ("#/reopens_on", "reopens_on.passed")),
        ({"reopens_on": "0001-01-01"}, ("#/reopens_on", "reopens_on.passed")),
    ],
)
async def test_invalid_reopenings(
    desk: Desk, change: dict[str, object], fault: tuple[str, str]
) -> None:
    """A reopening needs a day, and the day has to be after the closing."""
    assert faults(await desk.change(**{"state": "temporarily_closed", **change})) == [fault]
    assert await desk.states() == [("open", "in_effect"), ("permanently_closed", "past")]


async def test_other_processes_notice_changes(desk: Desk, folder: Path) -> None:
    """Another process serves neither a called-off plan nor its effect."""
    async with running(folder) as other, client_of(other) as elsewhere:
        change = await desk.plan(state="temporarily_closed", effective_from=later(hours=1))

        async def announces(expected: bool) -> bool:
            announced = (await elsewhere.get("/v1/status")).json()["next_change"]
            return (announced is not None) is expected

        await wait_until(lambda: announces(True))
        await desk.call_off(change["id"])
        await wait_until(lambda: announces(False))
        let_plans_take_effect(desk.engine)
        assert (await elsewhere.get("/v1/status")).json()["state"] == "open"


async def concurrently(*calls: Callable[[], Awaitable[httpx.Response]]) -> list[httpx.Response]:
    return list(await asyncio.gather(*(call() for call in calls)))


async def test_concurrent_changes(desk: Desk) -> None:
    """Of concurrent changes each is recorded, one is in effect, and a plan is called off once."""
    plan = await desk.plan(state="temporarily_closed", effective_from=later(days=1))
    answers = await concurrently(
        *[lambda: desk.change(state="open", mode="waitlist")] * 6,
        *[lambda: desk.call_off(plan["id"])] * 6,
        *[lambda: desk.change(state="temporarily_closed", effective_from=later(days=2))] * 6,
    )
    assert [answer.status_code for answer in answers] == [201] * 6 + [200] * 6 + [201] * 6
    standing = [status for _, status in await desk.states()]
    assert [standing.count(s) for s in ("planned", "called_off", "in_effect")] == [6, 1, 1]
    assert [action for action, _ in desk.actions()].count("status.called_off") == 1


async def test_plans_during_a_permanent_closure(desk: Desk) -> None:
    """Plans made during a permanent closure are called off exactly if they are older."""
    answers = await concurrently(
        *[lambda: desk.change(state="open", effective_from=later(days=1))] * 4,
        lambda: desk.change(**CLOSING),
        *[lambda: desk.change(state="open", effective_from=later(days=1))] * 4,
    )
    assert {answer.status_code for answer in answers} == {201}
    closing = int(answers[4].json()["id"])
    for change in (await desk.page())["data"]:
        if change["status"] in ("planned", "called_off"):
            assert (change["status"] == "called_off") is (int(change["id"]) < closing)


@pytest.mark.parametrize("milliseconds", [-40, -10, 0, 20])
async def test_calling_off_at_the_time_of_effect(
    app: FastAPI, desk: Desk, milliseconds: int
) -> None:
    """Calling off either succeeds and closes out nothing, or is refused because it is too late."""
    accepted = await post(desk.client)
    closure = await desk.plan_soon(**CLOSING)
    effect = datetime.fromisoformat(closure["effective_from"])
    until = effect + timedelta(milliseconds=milliseconds) - datetime.now(UTC)
    await asyncio.sleep(max(0.0, until.total_seconds()))
    upkeep = [desk.run_upkeep() for _ in range(3)]
    calling_off = asyncio.create_task(desk.call_off(closure["id"]))
    await asyncio.gather(*upkeep)
    answer = await calling_off
    await wait_until_past(closure["effective_from"])
    await desk.run_upkeep()
    receipt = await desk.client.get(accepted.headers["Location"], headers=bearer(accepted))
    outcome = (answer.status_code, (await desk.status())["state"], receipt.json()["state"])
    assert outcome in {
        (200, "open", "received"),
        (409, "permanently_closed", "closed_out"),
    }
