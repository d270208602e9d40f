"""`content push`: saves and publishes what a folder says, all or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from data.documents.files import ContentFolder
from data.documents.recorded import RecordedContent
from data.operations.content_checking import check_result
from data.operations.content_marks import Mark, Marks
from data.operations.content_plan import DocumentPlan, PushPlan, in_order, name_of, plan_push
from models.audit import Details, listed
from models.document import ChangeSize, DocumentKey, Origin
from models.document_file import FileReview
from models.values import Input, Paragraphs, utc_now

DEFAULT_NOTE = "Pushed from files."
# So many names of documents are in the audit event of one push.
_NAMED = 100


class ContentStore(Protocol):
    """Where documents are recorded: a database, or a server. A fault raises `PushRefused`.

    `keeps_drafts` says that saved revisions stay when the push is refused later.
    """

    keeps_drafts: bool

    def read(self) -> RecordedContent: ...

    def find_origin(self, key: DocumentKey) -> Origin: ...

    def save(self, key: DocumentKey, content: Input, *, note: str) -> int:
        """Saves a revision, of a new document too, and returns its number."""

    def publish(
        self, revisions: Mapping[DocumentKey, int], *, change: ChangeSize, note: str
    ) -> None:
        """Publishes these revisions together."""

    def move(self, key: DocumentKey, *, to: str) -> int | None:
        """Redirects a slug. Returns the number of the revision if it had to save one."""

    def withdraw(self, key: DocumentKey, *, from_at: datetime | None) -> None:
        """Withdraws a text for good at a time to come, or now."""

    def call_off_withdrawal(self, key: DocumentKey) -> None:
        """Calls off the next planned withdrawal."""

    def review(self, key: DocumentKey, number: int, review: FileReview) -> None: ...

    def finish(self, details: Details) -> list[str]:
        """Records what was pushed, and returns when it is in effect.

        The result says what could not be done besides, one line each.
        """


class PushRefused(Exception):
    """Nothing was published. The message is one line.

    `marks` are those after the push, if revisions were saved.
    """

    marks: Marks | None = None


class PushOptions(Input):
    change: ChangeSize = ChangeSize.MAJOR
    note: Paragraphs = DEFAULT_NOTE
    is_draft: bool = False


@dataclass(frozen=True)
class Pushed:
    """The result of a push: its changes, the marks after it, and a line for each step not done."""

    plan: PushPlan
    marks: Marks
    faults: list[str]


def compare(
    folder: ContentFolder, *, store: ContentStore, marks: Marks, options: PushOptions
) -> tuple[RecordedContent, PushPlan]:
    """The plan of a push. Raises `ContentFaults` if the result would have faults."""
    recorded = store.read()
    check_result(folder, recorded)
    plan = plan_push(
        folder,
        recorded=recorded,
        marks=marks.of(recorded),
        find_origin=store.find_origin,
        is_minor=options.change is ChangeSize.MINOR,
        is_draft=options.is_draft,
    )
    return recorded, plan


def push_content(
    folder: ContentFolder,
    *,
    store: ContentStore,
    marks: Marks,
    options: PushOptions,
    show: Callable[[PushPlan], None],
) -> Pushed:
    """Pushes a folder. `show` gets what is about to change.

    Raises `ContentFaults`, or `PushRefused`. Then nothing was published.
    """
    recorded, plan = compare(folder, store=store, marks=marks, options=options)
    show(plan)
    if plan.conflicts:
        raise PushRefused("nothing was pushed: run `content pull` first")
    saved: dict[DocumentKey, int] = {}
    faults: list[str] = []
    try:
        if not plan.is_empty:
            _save(plan, saved, store, options)
            _publish(plan, saved, store, options, zone=recorded.zone)
            faults = store.finish(_details(plan, options))
    except PushRefused as refused:
        if store.keeps_drafts:
            refused.marks = _marks_after(plan.as_draft(), recorded, marks, saved)
        raise
    return Pushed(plan, _marks_after(plan, recorded, marks, saved), faults)


def _save(
    plan: PushPlan,
    saved: dict[DocumentKey, int],
    store: ContentStore,
    options: PushOptions,
) -> None:
    """Saves what differs from the newest revisions. `saved` gets their numbers."""
    for each in in_order(plan):
        if each.saves:
            saved[each.key] = store.save(each.key, each.file.content, note=options.note)


def _publish(
    plan: PushPlan,
    saved: dict[DocumentKey, int],
    store: ContentStore,
    options: PushOptions,
    *,
    zone: ZoneInfo,
) -> None:
    revisions = {
        each.key: saved.get(each.key) or each.recorded.newest or 0
        for each in in_order(plan)
        if each.publishes
    }
    if revisions:
        store.publish(revisions, change=options.change, note=options.note)
    for key, slug in plan.moves.items():
        number = store.move(key, to=slug)
        if number is not None:
            saved[key] = number
    for each in in_order(plan):
        facts = each.file.facts
        if each.calls_off:
            store.call_off_withdrawal(each.key)
        if each.withdraws and facts.withdrawn_on:
            store.withdraw(each.key, from_at=_start_of(facts.withdrawn_on, zone))
        if each.reviews:
            reviewed = revisions.get(each.key) or each.recorded.live or each.recorded.newest
            store.review(each.key, saved.get(each.key) or reviewed or 0, facts.review)


def _start_of(day: date, zone: ZoneInfo) -> datetime | None:
    """The start of a day in UTC; `None` if it has begun."""
    start = datetime.combine(day, time.min, zone).astimezone(UTC)
    return start if start > utc_now() else None


def _details(plan: PushPlan, options: PushOptions) -> Details:
    """The details of the audit event: numbers, and names of documents."""
    names = [name_of(key) for key in [*(each.key for each in plan.changed), *plan.moves]]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return {
        "added": sum(each.is_new for each in plan.changed),
        "changed": sum(not each.is_new for each in plan.changed),
        "moved": len(plan.moves),
        "change": options.change,
        "drafts": options.is_draft,
        "documents": listed([*names[:_NAMED], *more]),
    }


def _marks_after(
    plan: PushPlan,
    recorded: RecordedContent,
    marks: Marks,
    saved: Mapping[DocumentKey, int],
) -> Marks:
    after = dict(marks.of(recorded).documents)
    for each in plan.documents:
        mark = _mark_after(each, saved.get(each.key), recorded)
        if mark and (each.changes or "/".join(each.key) not in after):
            after["/".join(each.key)] = mark
    for key in plan.moves:
        document = recorded.documents.get(key)
        newest = saved.get(key) or (document.newest if document else None)
        if newest:
            after["/".join(key)] = Mark(revision=newest, live=None)
    return Marks(recorded.source, after)


def _mark_after(plan: DocumentPlan, saved: int | None, recorded: RecordedContent) -> Mark | None:
    """`None` for a newest revision that the folder does not have."""
    document = plan.recorded
    if not plan.changes:
        is_known = document.is_withdrawn or document.newest == document.live
        return Mark.of(document) if is_known else None
    number = saved or document.newest or 0
    day, today = plan.file.facts.withdrawn_on, recorded.today()
    is_over = plan.withdraws and day is not None and day <= today
    live = number if plan.publishes else document.live
    comes_back = document.is_withdrawn and plan.publishes
    planned = None if plan.calls_off or comes_back else document.withdrawn_on
    return Mark(
        revision=number,
        live=None if is_over else live,
        withdrawn_on=(today if is_over else day) if plan.withdraws else planned,
    )
