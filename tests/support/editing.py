"""A member of staff who changes documents over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Engine

from tests.support.documents import LOCALE
from tests.support.staff import STAFF, signed_in

DOCUMENTS = f"{STAFF}/documents"
SECTION = {
    "title": "A title",
    "summary": "One sentence.",
    "position": 50,
    "body": "A text.",
}


def path_of(kind: str, slug: str | None = None, locale: str = LOCALE) -> str:
    return f"{DOCUMENTS}/{kind}/{slug or kind}/{locale}"


def later(**given: float) -> str:
    """A time from now, in RFC 3339."""
    return (datetime.now(UTC) + timedelta(**given)).isoformat()


class Desk:
    """Calls the operations of documents. Writes send the tag of the newest answer by default."""

    def __init__(
        self, client: httpx.AsyncClient, engine: Engine, *scopes: str, owner: str = "Ada"
    ) -> None:
        self.client = client
        self.headers = signed_in(engine, *scopes, owner=owner)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=self.headers)

    async def read(self, path: str) -> dict[str, Any]:
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def line(self, path: str) -> dict[str, Any]:
        """The document as the list has it."""
        document = await self.read(path)
        for name in ("revision", "content", "note"):
            del document[name]
        return document

    async def tag(self, path: str) -> str:
        """The current tag of a document."""
        return (await self.get(path)).headers["ETag"]

    async def create(
        self, kind: str, slug: str, content: object, *, locale: str = LOCALE, **more: object
    ) -> httpx.Response:
        body = {"kind": kind, "slug": slug, "locale": locale, "content": content, **more}
        return await self.client.post(DOCUMENTS, json=body, headers=self.headers)

    async def write(
        self, method: str, path: str, body: object = None, *, of: str, tag: str | None = None
    ) -> httpx.Response:
        """A call that needs the tag of the document `of`; by default with its current tag."""
        headers = {**self.headers, "If-Match": tag or await self.tag(of)}
        return await self.client.request(method, path, json=body, headers=headers)

    async def save(self, path: str, *, tag: str | None = None, **changes: object) -> httpx.Response:
        """Saves the newest content with some changes; `content` replaces all of it."""
        document = await self.read(path)
        content = changes.pop("content", None) or {**(document["content"] or SECTION), **changes}
        body = {"kind": document["kind"], "content": content}
        return await self.write("PUT", path, body, of=path, tag=tag)

    async def publish(
        self,
        path: str,
        revision: int | None = None,
        *,
        tag: str | None = None,
        from_at: str | None = None,
        **more: object,
    ) -> httpx.Response:
        """Publishes a revision, by default the newest one and as a minor change."""
        number = revision or (await self.read(path))["revision"]
        body = {"revision": number, "change": "minor", "from": from_at, **more}
        return await self.write("POST", f"{path}/publications", body, of=path, tag=tag)

    async def withdraw(
        self, path: str, *, tag: str | None = None, from_at: str | None = None, **body: object
    ) -> httpx.Response:
        sent = {"from": from_at, **body}
        return await self.write("POST", f"{path}/withdrawals", sent, of=path, tag=tag)

    async def call_off(
        self, path: str, publication: str, *, tag: str | None = None
    ) -> httpx.Response:
        url = f"{path}/publications/{publication}"
        return await self.write("DELETE", url, of=path, tag=tag)

    async def blank(self, path: str, revision: int, *, tag: str | None = None) -> httpx.Response:
        url = f"{path}/revisions/{revision}"
        return await self.write("DELETE", url, of=path, tag=tag)

    async def publications(self, path: str) -> list[tuple[str, str]]:
        """Type and state of each publication, the newest first."""
        listed = await self.read(f"{path}/publications")
        return [(item["type"], item["state"]) for item in listed["data"]]
