"""Requests with markers in all text fields, and a search for these markers."""

import base64
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Engine, event

from tests.support.databases import files_of
from tests.support.intake import body_of, post


def spellings(marker: str) -> set[bytes]:
    """A marker in each encoding in which it could leak: plain, JSON, percent, hex, repr, Base64."""
    raw = marker.encode()
    found = {raw, json.dumps(marker)[1:-1].encode(), quote(marker, safe="").encode()}
    found |= {
        raw.hex().encode(),
        repr(raw)[2:-1].encode(),
        "".join(f"%{b:02x}" for b in raw).encode(),
    }
    found |= {"".join(f"\\u{ord(c):04x}" for c in marker).encode()}
    for skip in range(3):
        # Base64 differs for each of three offsets; its first and last characters depend on the
        # bytes around the marker.
        encoded = base64.b64encode(bytes(skip) + raw)
        inner = encoded[-(-skip * 8 // 6) : len(raw + bytes(skip)) * 8 // 6]
        found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def hits(markers: set[str], content: bytes) -> list[bytes]:
    """The spellings of the markers that occur in the content, ignoring case."""
    lowered = content.lower()
    return [s for m in markers for s in spellings(m) if s in content or s.lower() in lowered]


class Canaries:
    """Makes markers and collects all answers and files; every marker word begins with one stem."""

    def __init__(self) -> None:
        self.stem = f"q{secrets.token_hex(8)}"
        self.number = f"212{secrets.randbelow(7_000_000) + 2_220_000}"
        self.phone = f"({self.number[:3]}) {self.number[3:6]}-{self.number[6:]}"
        self.markers = {self.stem, self.number, self.phone}
        self.answers: list[httpx.Response] = []
        self.files: set[tuple[str, bytes]] = set()

    def word(self) -> str:
        return f"{self.stem}{secrets.token_hex(2)}"

    def body(self, **changes: object) -> bytes:
        fields = {
            "name": f"Zoë {self.word()}é",
            "email": f"{self.word()}@{self.word()}.example",
            "phone": self.phone,
            "message": f"{self.word()} " * 3,
        }
        return body_of(**{**fields, **changes})

    async def send(self, client: httpx.AsyncClient, content: bytes, **more: Any) -> int:
        answer = await post(client, content, **more)
        self.answers.append(answer)
        return answer.status_code

    def watch(self, engine: Engine, folder: Path) -> None:
        """Records the database's file and its journal at each commit and each rollback (SQLite)."""

        def record(*_: object) -> None:
            self.files |= set(files_of(folder).items())

        if engine.dialect.name == "sqlite":
            event.listen(engine, "commit", record)
            event.listen(engine, "rollback", record)
