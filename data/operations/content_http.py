"""Pushes content to a running service: first all drafts, then all publications for one time."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel

from data.documents.recorded import WITHDRAWALS, RecordedContent
from data.operations.content_filling import WITHDRAWN
from data.operations.content_plan import name_of
from data.operations.content_push import PushRefused
from data.operations.content_server import Answer, Server, ServerFault
from data.operations.content_server_reading import DOCUMENTS, ServerReader, path_of
from models.audit import Details
from models.document import ChangeSize, DocumentKey, Origin, PublicationType, Verdict
from models.document_file import FileReview
from models.document_output import DocumentPublic, RevisionList
from models.values import Input

# A publication with a fault of these kinds may be accepted after another one.
_MAY_PASS_LATER = frozenset({"revision.has_faults", "revision.breaks_others"})
_FORMER = "A former slug of another text."
# In each attempt, how long all calls may take, in their mean duration until then. A publication
# takes longer than saving a draft, and longer the more of them are planned.
_PATIENCE = (8, 3, 12)
# So many calls are taken for the estimate of the next ones, which begins with these seconds.
_RECENT = 100
_CALL_SECONDS = 0.05


class _TooSlow(Exception):
    """The common time is too near: recording the rest could leave a part in effect."""


class _Refusal(PushRefused):
    """The server refused a call."""

    def __init__(self, reason: str, fault: ServerFault) -> None:
        super().__init__(reason)
        self.may_pass_later = bool(fault.codes) and fault.codes <= _MAY_PASS_LATER


class _Recorded(BaseModel):
    """The answer to a publication or a withdrawal."""

    id: str


class _Durations:
    """The mean duration of the recent calls, in seconds."""

    def __init__(self) -> None:
        self.recent = deque([_CALL_SECONDS], maxlen=_RECENT)

    def add(self, seconds: float) -> None:
        self.recent.append(seconds)

    def mean(self) -> float:
        return sum(self.recent) / len(self.recent)


@dataclass
class _Step:
    """A publication or a withdrawal to record. Without `from` it gets the common time."""

    key: DocumentKey
    resource: str
    body: dict[str, object]

    @property
    def path(self) -> str:
        return f"{path_of(self.key)}/{self.resource}"


@dataclass
class _Staged:
    """The steps of `finish`, in this order."""

    steps: list[_Step] = field(default_factory=list)
    callings_off: list[tuple[DocumentKey, str]] = field(default_factory=list)
    reviews: list[tuple[DocumentKey, dict[str, object]]] = field(default_factory=list)


class ServerContent:
    """The documents of a running service. Nothing is public before `finish`."""

    keeps_drafts = True

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reader = ServerReader(server)
        self.recorded: RecordedContent | None = None
        self.staged = _Staged()
        self.drafts: dict[DocumentKey, Input] = {}
        self.calls = _Durations()

    def read(self) -> RecordedContent:
        self.recorded = self.reader.read()
        return self.recorded

    def find_origin(self, key: DocumentKey) -> Origin:
        page = self.server.get(f"{path_of(key)}/revisions", limit="1").read(RevisionList)
        return page.data[0].origin

    def save(self, key: DocumentKey, content: Input, *, note: str) -> int:
        body: dict[str, object] = {
            "kind": key.kind,
            "content": content.model_dump(mode="json"),
            "note": note,
        }
        if key in self.reader.tags:
            answer = self._call("PUT", key, path_of(key), body)
        else:
            body |= {"slug": key.slug, "locale": key.locale}
            answer = self._call("POST", key, DOCUMENTS, body)
        self.drafts[key] = content
        return answer.read(DocumentPublic).root.revision or 0

    def publish(
        self, revisions: Mapping[DocumentKey, int], *, change: ChangeSize, note: str
    ) -> None:
        for key, number in revisions.items():
            body = {"revision": number, "change": change, "note": note}
            self.staged.steps.append(_Step(key, "publications", body))

    def move(self, key: DocumentKey, *, to: str) -> int | None:
        number = None
        if key not in self.reader.tags:
            # A document that was never published cannot be withdrawn over HTTP.
            number = self._stage_copy(key, of=key._replace(slug=to))
        body: dict[str, object] = {"type": PublicationType.MOVED, "moved_to": to}
        self.staged.steps.append(_Step(key, "withdrawals", body))
        return number

    def _stage_copy(self, key: DocumentKey, *, of: DocumentKey) -> int | None:
        """A new document with the content of another one. Returns the number of its revision."""
        content = self.drafts.get(of)
        if content is None and self.recorded and of in self.recorded.documents:
            content = self.recorded.documents[of].live_content
        if content is None:
            return None
        number = self.save(key, content, note=_FORMER)
        self.publish({key: number}, change=ChangeSize.MINOR, note=_FORMER)
        return number

    def withdraw(self, key: DocumentKey, *, from_at: datetime | None) -> None:
        body: dict[str, object] = {"type": PublicationType.GONE, "reason": WITHDRAWN}
        if from_at:
            body["from"] = from_at.isoformat()
        self.staged.steps.append(_Step(key, "withdrawals", body))

    def call_off_withdrawal(self, key: DocumentKey) -> None:
        planned = self.server.get(path_of(key)).read(DocumentPublic).root.planned
        withdrawals = [each.id for each in planned if each.type in WITHDRAWALS]
        self.staged.callings_off += [(key, withdrawal) for withdrawal in withdrawals[:1]]

    def review(self, key: DocumentKey, number: int, review: FileReview) -> None:
        facts = {**review.model_dump(mode="json"), "reviewed_on": str(review.last_reviewed_on)}
        del facts["last_reviewed_on"]
        body = {"revision": number, "verdict": Verdict.APPROVED, "comment": None, **facts}
        self.staged.reviews.append((key, body))

    def finish(self, details: Details) -> list[str]:
        """Records everything for one time, and waits until it is in effect.

        The server's audit has an event for each call, so `details` are not needed.
        """
        begins = self._record_everything()
        faults = self._do_the_rest()
        while begins and (remaining := (begins - self.server.now()).total_seconds()) > 0:
            time.sleep(remaining)
        return faults

    def _record_everything(self) -> datetime | None:
        """Returns the common time, `None` for now. Raises `PushRefused`."""
        for attempt in range(len(_PATIENCE)):
            begins = self._common_time(attempt)
            recorded: list[tuple[DocumentKey, str]] = []
            try:
                self._record_all(begins, recorded)
            except _TooSlow:
                self._call_off(recorded)
            except PushRefused as fault:
                self._call_off(recorded)
                reason = f"{fault}; nothing was published, and the drafts stay saved"
                raise PushRefused(reason) from None
            except BaseException:
                self._call_off(recorded)
                raise
            else:
                return begins
        raise PushRefused("the server is too slow; nothing was published")

    def _common_time(self, attempt: int) -> datetime | None:
        """When everything begins: late enough to record it all, or to call it all off again."""
        count = len(self.staged.steps)
        if count < 2:
            # One publication needs no plan to be all or nothing.
            return None
        seconds = 3 + count * self.calls.mean() * _PATIENCE[attempt]
        return self.server.now() + timedelta(seconds=seconds)

    def _record_all(self, begins: datetime | None, recorded: list[tuple[DocumentKey, str]]) -> None:
        """Records all steps; `recorded` gets the documents and ids of those that succeed."""
        publications = [each for each in self.staged.steps if each.resource == "publications"]
        while publications:
            refused = []
            for step in publications:
                try:
                    self._record(step, begins, recorded)
                except _Refusal as fault:
                    if not fault.may_pass_later:
                        raise
                    refused.append((step, fault))
            if len(refused) == len(publications):
                raise refused[0][1]
            # One text may need another one, for example a topic that the clinic gets.
            publications = [step for step, _ in refused]
        for step in self.staged.steps:
            if step.resource != "publications":
                self._record(step, begins, recorded)

    def _record(
        self, step: _Step, begins: datetime | None, recorded: list[tuple[DocumentKey, str]]
    ) -> None:
        if begins:
            remaining = (begins - self.server.now()).total_seconds()
            if remaining < 1 + len(recorded) * self.calls.mean() / 3:
                raise _TooSlow
        own_time = {"from": begins.isoformat()} if begins else {}
        answer = self._call("POST", step.key, step.path, own_time | step.body)
        recorded.append((step.key, answer.read(_Recorded).id))

    def _call_off(self, recorded: list[tuple[DocumentKey, str]]) -> None:
        for key, publication in reversed(recorded):
            try:
                self._call("DELETE", key, f"{path_of(key)}/publications/{publication}")
            except PushRefused as fault:
                reason = f"{fault}; a part is published or planned: see `content diff`"
                raise PushRefused(reason) from None

    def _do_the_rest(self) -> list[str]:
        """Calls off replaced plans and records reviews. Returns what failed, one line each."""
        faults = []
        for key, publication in self.staged.callings_off:
            try:
                self._call("DELETE", key, f"{path_of(key)}/publications/{publication}")
            except PushRefused as fault:
                faults.append(f"its planned withdrawal was not called off: {fault}")
        for key, body in self.staged.reviews:
            try:
                self._call("POST", key, f"{path_of(key)}/reviews", body)
            except PushRefused as fault:
                faults.append(f"its review was not recorded: {fault}")
        return faults

    def _call(
        self, method: str, key: DocumentKey, path: str, body: Mapping[str, object] | None = None
    ) -> Answer:
        """A call with the newest tag of the document. Raises `_Refusal`."""
        started = time.monotonic()
        try:
            answer = self.server.call(method, path, body=body, tag=self.reader.tags.get(key))
        except ServerFault as fault:
            raise _Refusal(f"{name_of(key)}: {fault}", fault) from None
        if method != "DELETE":
            self.calls.add(time.monotonic() - started)
        if answer.tag:
            self.reader.tags[key] = answer.tag
        return answer
