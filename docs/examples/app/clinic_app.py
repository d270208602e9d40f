"""Stores a clinic's data in an app, and sends a consultation request later if it is offline.

It needs httpx, and a folder that only the app uses. `docs/guides/mobile.md` has the rules.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

# Older texts can still be shown, but the clinic's status in them may have changed.
TRUSTED_FOR = timedelta(days=1)
LATER = "It will be sent when you are online again."


@dataclass(frozen=True)
class Shown:
    """The bundle, and whether it is new enough to offer the form."""

    bundle: dict[str, Any]
    checked_at: datetime
    may_ask: bool


@dataclass(frozen=True)
class Outcome:
    """The result of sending a request: `sent`, `waiting`, `refused` or `faulty`."""

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
        """At each start: returns the new or the stored bundle, or `None` if there is none."""
        now = now or datetime.now(UTC)
        kept = json.loads(self._bundle.read_text()) if self._bundle.exists() else None
        headers = {"If-None-Match": kept["tag"]} if kept else {}
        try:
            answer = self._client.get("/v1/bundle", headers=headers)
        except httpx.TransportError:
            return self._shown(kept, now) if kept else None
        if answer.status_code == 200 and _has_media_type(answer, "application/json"):
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
        """Stores a request until it can be sent; returns its idempotency key."""
        key = str(uuid.uuid4())
        # Stores the exact bytes: the service refuses other bytes with the same key.
        self._write(self._queue / key, request)
        return key

    def queued(self, key: str) -> dict[str, Any]:
        """A queued request, to fill in the form again."""
        request: dict[str, Any] = json.loads((self._queue / key).read_text(encoding="utf-8"))
        return request

    def correct(self, key: str, request: dict[str, Any]) -> str:
        """Replaces a queued request by a corrected one with a new key, and returns the key."""
        new = self.queue(request)
        self.discard(key)
        return new

    def discard(self, key: str) -> None:
        """Deletes a queued request."""
        (self._queue / key).unlink(missing_ok=True)

    def send(self, key: str) -> Outcome:
        """Sends a queued request, also repeatedly. A faulty one stays in the queue."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        content = (self._queue / key).read_bytes()
        try:
            answer = self._client.post(
                "/v1/consultation-requests", content=content, headers=headers
            )
        except httpx.TransportError:
            return Outcome("waiting", LATER)
        if answer.status_code == 201 and _has_media_type(answer, "application/json"):
            receipt = answer.json()
            self.discard(key)
            return Outcome("sent", receipt["next_step"]["text"], receipt=receipt)
        # An error page of a proxy or a public network is not an answer to the request.
        if not _has_media_type(answer, "application/problem+json"):
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
        # Atomic: the file is never incomplete, also if the app is killed.
        beside = file.with_name(f".{file.name}")
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(file)


def _has_media_type(answer: httpx.Response, media_type: str) -> bool:
    declared: str = answer.headers.get("Content-Type", "")
    return declared.partition(";")[0].strip() == media_type
