"""What an app that shows a clinic keeps, for how long, and how it sends a request later.

It needs httpx, and a folder that belongs to the app alone. `docs/guides/mobile.md` has the rules.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

# Older texts are still worth reading, but what they say of the clinic may no longer hold.
TRUSTED_FOR = timedelta(days=1)
LATER = "It will be sent when you are online again."


@dataclass(frozen=True)
class Shown:
    """The bundle, and whether it is fresh enough to act upon."""

    bundle: dict[str, Any]
    checked_at: datetime
    may_ask: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a queued request: `sent`, `waiting`, `refused` or `faulty`."""

    state: str
    words: str
    receipt: dict[str, Any] | None = None
    errors: tuple[dict[str, Any], ...] = ()


class ClinicApp:
    def __init__(self, folder: Path, client: httpx.Client) -> None:
        self._folder, self._client = folder, client
        self._bundle, self._queue = folder / "bundle.json", folder / "queue"
        self._queue.mkdir(parents=True, exist_ok=True)

    def open(self, *, now: datetime | None = None) -> Shown | None:
        """At each start: what is new, or what is kept; `None` where there is neither."""
        now = now or datetime.now(UTC)
        kept = json.loads(self._bundle.read_text()) if self._bundle.exists() else None
        headers = {"If-None-Match": kept["tag"]} if kept else {}
        try:
            answer = self._client.get("/v1/bundle", headers=headers)
        except httpx.TransportError:
            return self._shown(kept, now) if kept else None
        if answer.status_code == 200 and _holds(answer, "application/json"):
            kept = {"tag": answer.headers["ETag"], "bundle": answer.json()}
        elif answer.status_code != 304 or kept is None:
            return self._shown(kept, now) if kept else None
        kept["checked_at"] = now.isoformat()
        self._write(self._bundle, kept)
        return self._shown(kept, now)

    def _shown(self, kept: dict[str, Any], now: datetime) -> Shown:
        checked_at = datetime.fromisoformat(kept["checked_at"])
        accepting = kept["bundle"]["status"]["consultations"]["accepting"]
        return Shown(kept["bundle"], checked_at, accepting and now - checked_at < TRUSTED_FOR)

    def queue(self, request: dict[str, Any]) -> str:
        """Keeps a request until it can be sent; its key, which stays the same from now on."""
        key = str(uuid.uuid4())
        # The very bytes are kept: the same key with other bytes would be refused.
        self._write(self._queue / key, request)
        return key

    def queued(self, key: str) -> dict[str, Any]:
        """What was typed, for the form."""
        request: dict[str, Any] = json.loads((self._queue / key).read_text(encoding="utf-8"))
        return request

    def correct(self, key: str, request: dict[str, Any]) -> str:
        """Puts a corrected request in the place of another one, under a key of its own."""
        new = self.queue(request)
        self.discard(key)
        return new

    def discard(self, key: str) -> None:
        """Deletes a queued request."""
        (self._queue / key).unlink(missing_ok=True)

    def send(self, key: str) -> Outcome:
        """Sends a queued request, now or again. One that has faults stays, to be corrected."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        content = (self._queue / key).read_bytes()
        try:
            answer = self._client.post(
                "/v1/consultation-requests", content=content, headers=headers
            )
        except httpx.TransportError:
            return Outcome("waiting", LATER)
        if answer.status_code == 201 and _holds(answer, "application/json"):
            receipt = answer.json()
            self.discard(key)
            return Outcome("sent", receipt["next_step"]["text"], receipt=receipt)
        # A page of a proxy or of a public network says nothing about the request.
        if not _holds(answer, "application/problem+json"):
            return Outcome("waiting", LATER)
        problem = answer.json()
        if answer.status_code in (408, 409, 429) or answer.status_code >= 500:
            return Outcome("waiting", problem["detail"])
        if answer.status_code == 422:
            return Outcome("faulty", problem["detail"], errors=tuple(problem.get("errors", ())))
        self.discard(key)
        return Outcome("refused", problem["detail"])

    @staticmethod
    def _write(file: Path, content: object) -> None:
        # Whole or not at all, also when the app is ended in the middle of it.
        beside = file.with_name(f".{file.name}")
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(file)


def _holds(answer: httpx.Response, media_type: str) -> bool:
    declared: str = answer.headers.get("Content-Type", "")
    return declared.partition(";")[0].strip() == media_type
