"""Calls the staff endpoints of a running service, for `content … --server`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from data.notifications.outbound import trusted
from models.values import utc_now

if TYPE_CHECKING:
    import httpx

M = TypeVar("M", bound=BaseModel)
_TIMEOUT_SECONDS = 60
# Only these may be called without TLS: a token must not cross a network in the clear.
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ServerFault(Exception):
    """A call failed. The message is one line, without the token and without any text.

    `codes` are those of a 422.
    """

    def __init__(self, reason: str, *, status: int = 0, codes: frozenset[str] = frozenset()):
        super().__init__(reason)
        self.status = status
        self.codes = codes


class _Error(BaseModel):
    code: str
    detail: str


class _Problem(BaseModel):
    title: str = ""
    errors: list[_Error] = []


@dataclass(frozen=True)
class Answer:
    """A successful answer. `tag` is its `ETag`."""

    text: str = field(repr=False)
    tag: str | None

    def read(self, model: type[M]) -> M:
        """The answer as an output of the API. Raises `ServerFault`."""
        try:
            return model.model_validate_json(self.text)
        except ValidationError:
            reason = "the server's answer cannot be read: it has another version of the service"
            raise ServerFault(reason) from None


class Server:
    """A running service. It is used as a context manager. Several threads may call it."""

    def __init__(self, url: str, *, token: str) -> None:
        parts = urlsplit(url)
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ServerFault("--server must be an address such as https://api.clinic.example")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ServerFault("--server must begin with https://, unless it is on this machine")
        self.url = url.rstrip("/")
        self.ahead = timedelta()
        self._client = _open_client(self.url, token, trust_env=parts.scheme == "https")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def now(self) -> datetime:
        """The time of the server's clock, at most a second behind it."""
        return utc_now() + self.ahead

    def get(self, path: str, **query: str) -> Answer:
        return self.call("GET", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        tag: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises `ServerFault` unless the answer is a success."""
        import httpx

        headers = {"If-Match": tag} if tag else {}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False).encode()
        try:
            answer = self._client.request(
                method, path, content=content, headers=headers, params=query
            )
        except httpx.HTTPError as fault:
            reason = f"the server cannot be reached ({type(fault).__name__})"
            raise ServerFault(reason) from None
        if date := answer.headers.get("Date"):
            self.ahead = parsedate_to_datetime(date) - utc_now()
        if answer.is_success:
            return Answer(answer.text, answer.headers.get("ETag"))
        raise _fault_of(answer)


def _open_client(url: str, token: str, *, trust_env: bool) -> "httpx.Client":
    # Imported late: it takes 0.1 s, which other commands do not need.
    import httpx

    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=_TIMEOUT_SECONDS,
        verify=trusted(),
        trust_env=trust_env,
    )


def _fault_of(answer: "httpx.Response") -> ServerFault:
    status = answer.status_code
    if status == 401:
        return ServerFault("the token in CLINIC_TOKEN is not valid", status=status)
    if status == 403:
        return ServerFault("the token in CLINIC_TOKEN lacks a scope for content", status=status)
    if status == 412:
        reason = "it was changed meanwhile: run `content pull` first"
        return ServerFault(reason, status=status)
    try:
        problem = _Problem.model_validate_json(answer.text)
    except ValidationError:
        problem = _Problem()
    # The details of errors never repeat what was sent.
    reasons = "; ".join(error.detail for error in problem.errors) or problem.title
    return ServerFault(
        f"the server answered {status}{f': {reasons}' if reasons else ''}",
        status=status,
        codes=frozenset(error.code for error in problem.errors),
    )
