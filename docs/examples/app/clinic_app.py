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
        if answer.status_code == 200:
            kept = {"tag": answer.headers["ETag"], "bundle": answer.json()}
        if kept and answer.status_code in (200, 304):
            kept["checked_at"] = now.isoformat()
            self._write(self._bundle, kept)
        return self._shown(kept, now) if kept else None

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

    def send(self, key: str) -> Outcome:
        """Sends a queued request, now or again; what is over is not kept."""
        file = self._queue / key
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            answer = self._client.post(
                "/v1/consultation-requests", content=file.read_bytes(), headers=headers
            )
        except httpx.TransportError:
            return Outcome("waiting", "It will be sent when you are online again.")
        told = answer.json()
        if answer.status_code == 201:
            file.unlink()
            return Outcome("sent", told["next_step"]["text"], receipt=told)
        if answer.status_code in (409, 429) or answer.status_code >= 500:
            return Outcome("waiting", told["detail"])
        file.unlink()
        if answer.status_code == 422:
            return Outcome("faulty", told["detail"], errors=tuple(told.get("errors", ())))
        return Outcome("refused", told["detail"])

    @staticmethod
    def _write(file: Path, content: object) -> None:
        # Whole or not at all, also when the app is ended in the middle of it.
        beside = file.with_name(f".{file.name}")
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(file)
