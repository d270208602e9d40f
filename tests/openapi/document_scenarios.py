"""The request that causes each documented answer of the operations of documents."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import httpx
from sqlalchemy import Engine

from tests.support.document import SCHEMAS
from tests.support.editing import DOCUMENTS, SECTION, Desk, later, path_of

ONE = path_of("section", "exercises")
UNKNOWN = path_of("section", "unknown")
DRAFT = path_of("section", "a-draft")
# The schemas of what is sent. Optional fields may be absent there.
INPUTS = {
    *(name for name in SCHEMAS if name.endswith(("Input", "DocumentCreate"))),
    "PublicationCreate",
    "WithdrawalCreate",
}


class Stage(Protocol):
    """A service with an open clinic."""

    client: httpx.AsyncClient
    engine: Engine

    def take_the_database_away(self) -> None: ...


Scenario = Callable[[Any], Awaitable[httpx.Response]]

READS = {
    "listStaffDocuments": "",
    "readStaffDocument": "{one}",
    "listDocumentRevisions": "{one}/revisions",
    "readDocumentRevision": "{one}/revisions/1",
    "listDocumentPublications": "{one}/publications",
}
TAKEN = {"kind": "section", "slug": "exercises", "locale": "en-US", "content": SECTION}
# Method, path and body of each call that changes something, and its status.
WRITES: dict[str, tuple[str, str, object, str]] = {
    "createStaffDocument": ("POST", "", {**TAKEN, "slug": "new"}, "201"),
    "saveStaffDocument": ("PUT", "{one}", {"kind": "section", "content": SECTION}, "200"),
    "blankRevision": ("DELETE", "{one}/revisions/2", None, "200"),
    "publishDocument": (
        "POST", "{one}/publications", {"revision": 1, "change": "minor"}, "201",
    ),
    "callOffDocumentPublication": ("DELETE", "{one}/publications/{planned}", None, "200"),
    "withdrawStaffDocument": (
        "POST", "{one}/withdrawals", {"type": "gone", "reason": "It was out of date."}, "201",
    ),
}  # fmt: skip
WITH_BODY = [name for name, (_, _, body, _) in WRITES.items() if body]
WITH_TAG = [name for name in WRITES if name != "createStaffDocument"]
OF_ONE = [name for name in (*READS, *WRITES) if name not in ("listStaffDocuments", WITH_BODY[0])]


def call(
    operation: str,
    *scopes: str,
    query: str = "",
    one: str = ONE,
    tag: str | None = None,
    content: bytes | None = None,
    body: object = None,
    media_type: str = "application/json",
    token: str | None = None,
    times: int = 1,
    away: bool = False,
) -> Scenario:
    """The call as it succeeds, with one thing about it that is different.

    `tag` is the `If-Match` field: by default the current one, and none if it is empty.
    """
    method, template, usual, _ = WRITES.get(operation, ("GET", READS.get(operation), None, ""))

    async def play(stage: Stage) -> httpx.Response:
        desk = Desk(stage.client, stage.engine)
        await desk.save(ONE, title="Not public")
        plan = (await desk.publish(ONE, 1, from_at=later(days=1))).json()
        url = f"{template}{query}".format(one=one, planned=plan["id"])
        url = url if url.startswith("/") else f"{DOCUMENTS}{url}"
        match = await desk.tag(ONE) if tag is None else tag
        caller = Desk(stage.client, stage.engine, *scopes)
        headers = {**caller.headers, **({"If-Match": match} if match else {})}
        if token is not None:
            headers["Authorization"] = token
        sent: dict[str, Any] = {}
        if content is not None:
            sent["content"] = content
            headers["Content-Type"] = media_type
        elif body or usual:
            sent["json"] = body or usual
        if away:
            stage.take_the_database_away()
        answer = None
        for _ in range(times):
            answer = await stage.client.request(method, url, headers=headers, **sent)
            if answer.status_code == 429:
                break
        assert answer is not None
        return answer

    return play


async def withdraw_a_draft(stage: Stage) -> httpx.Response:
    desk = Desk(stage.client, stage.engine)
    await desk.create("section", "a-draft", SECTION)
    return await desk.withdraw(DRAFT, type="gone", reason="Old.")


async def blank_the_live_one(stage: Stage) -> httpx.Response:
    return await Desk(stage.client, stage.engine).blank(ONE, 1)


async def call_off_the_live_one(stage: Stage) -> httpx.Response:
    desk = Desk(stage.client, stage.engine)
    [*_, first] = (await desk.read(f"{ONE}/publications"))["data"]
    return await desk.call_off(ONE, first["id"])


EVERY = (*READS, *WRITES)
SCENARIOS: dict[tuple[str, str], Scenario] = {
    **{(name, "200"): call(name) for name in READS},
    **{(name, status): call(name) for name, (_, _, _, status) in WRITES.items()},
    **{(name, "400"): call(name, query="?unknown=1") for name in EVERY},
    **{(name, "401"): call(name, token="Bearer wrong") for name in EVERY},
    **{(name, "403"): call(name, "intake:read") for name in EVERY},
    # Ten a minute, and a minute may begin in between.
    **{(name, "429"): call(name, token="Bearer wrong", times=25) for name in EVERY},
    **{(name, "503"): call(name, away=True) for name in EVERY},
    **{(name, "404"): call(name, one=UNKNOWN) for name in OF_ONE},
    **{(name, "412"): call(name, tag='"stale"') for name in WITH_TAG},
    **{(name, "428"): call(name, tag="") for name in WITH_TAG},
    **{(name, "413"): call(name, content=b" " * (1024 * 1024 + 1)) for name in WITH_BODY},
    **{(name, "415"): call(name, content=b"{}", media_type="text/plain") for name in WITH_BODY},
    **{(name, "422"): call(name, body={"unknown": 1}) for name in WITH_BODY},
    ("createStaffDocument", "409"): call("createStaffDocument", body=TAKEN),
    ("withdrawStaffDocument", "409"): withdraw_a_draft,
    ("blankRevision", "409"): blank_the_live_one,
    ("callOffDocumentPublication", "409"): call_off_the_live_one,
}
