"""The plan of a push: its changes, and the conflicts that forbid it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from data.documents.files import ContentFile, ContentFolder
from data.documents.recorded import RecordedContent, RecordedDocument
from data.operations.content_marks import Mark, Marks
from models.document import DocumentKey, Kind, Origin
from models.values import Input

# Finds where the newest revision of a document comes from.
FindOrigin = Callable[[DocumentKey], Origin]


@dataclass(frozen=True)
class DocumentPlan:
    """The changes of one document by a push.

    `fields` names what differs from the public revision. `withdraws` says that a withdrawal on
    `file.facts.withdrawn_on` is recorded, `calls_off` that the planned withdrawal is called off.
    """

    key: DocumentKey
    file: ContentFile
    recorded: RecordedDocument
    fields: list[str] = field(default_factory=list)
    saves: bool = False
    publishes: bool = False
    withdraws: bool = False
    calls_off: bool = False
    reviews: bool = False

    def as_draft(self) -> "DocumentPlan":
        return replace(self, publishes=False, withdraws=False, calls_off=False, reviews=False)

    @property
    def is_new(self) -> bool:
        return self.recorded.newest is None

    @property
    def changes(self) -> bool:
        return self.saves or self.publishes or self.withdraws or self.calls_off or self.reviews


@dataclass(frozen=True)
class PushPlan:
    """The changes of a push. `moves` leads from former documents to slugs.

    `conflicts` are the reasons why nothing may be pushed, one line each. `missing` are public
    documents that the folder lacks, `notes` what a person should know.
    """

    documents: list[DocumentPlan]
    moves: Mapping[DocumentKey, str]
    conflicts: list[str]
    missing: list[DocumentKey]
    notes: list[str]

    def as_draft(self) -> "PushPlan":
        """The part of the plan that saves revisions."""
        return replace(self, documents=[each.as_draft() for each in self.documents], moves={})

    @property
    def changed(self) -> list[DocumentPlan]:
        return [plan for plan in self.documents if plan.changes]

    @property
    def is_empty(self) -> bool:
        return not self.changed and not self.moves


def name_of(key: DocumentKey) -> str:
    return key.kind if key.slug == key.kind else f"{key.kind} {key.slug}"


def plan_push(
    folder: ContentFolder,
    *,
    recorded: RecordedContent,
    marks: Marks,
    find_origin: FindOrigin,
    is_minor: bool = False,
    is_draft: bool = False,
) -> PushPlan:
    """Compares a folder with what is recorded. `marks` are of the same database, or empty.

    With `is_draft`, revisions are saved and nothing else.
    """
    today = recorded.today()
    plans = [
        _plan(key, file, recorded.documents.get(key), marks.find(key), today)
        for key, file in sorted(folder.files.items())
    ]
    moves = _plan_moves(folder, recorded)
    missing = [
        key
        for key, document in sorted(recorded.documents.items())
        if document.live is not None and key not in folder.files and key not in moves
    ]
    if is_draft:
        plans, moves = [each.as_draft() for each in plans], {}
    touched = {plan.key for plan in plans if plan.changes} | moves.keys()
    conflicts = [
        f"{name_of(key)}: {reason}"
        for key in sorted(folder.files.keys() | moves.keys())
        if (reason := _conflict(key, folder, recorded, marks, key in touched, find_origin))
    ]
    notes = [note for plan in plans for note in _notes(plan, is_minor=is_minor)]
    return PushPlan(plans, moves, conflicts, missing, notes)


def _plan(
    key: DocumentKey,
    file: ContentFile,
    document: RecordedDocument | None,
    mark: Mark | None,
    today: date,
) -> DocumentPlan:
    recorded = document or RecordedDocument(key)
    day = file.facts.withdrawn_on
    is_over = day is not None and day <= today
    differs = recorded.newest_content != file.content
    if is_over and recorded.is_withdrawn:
        # A withdrawn text stays withdrawn: a new wording of it is only saved.
        publishes, withdraws, calls_off = False, False, False
    else:
        publishes = recorded.live is None or recorded.live_content != file.content
        planned = None if recorded.is_withdrawn else recorded.withdrawn_on
        withdraws = day is not None and day != planned
        # A withdrawal that the folder does not know is not called off.
        calls_off = planned is not None and day != planned and _knows(mark, planned)
    review = file.facts.review
    return DocumentPlan(
        key=key,
        file=file,
        recorded=recorded,
        fields=_differing(recorded.file_content, file.content),
        # The file of a withdrawn text says what its newest revision says.
        saves=differs and (publishes or is_over),
        publishes=publishes,
        withdraws=withdraws,
        calls_off=calls_off,
        reviews=review.last_reviewed_on is not None and review != recorded.last_review,
    )


def _knows(mark: Mark | None, planned: date) -> bool:
    return mark is not None and mark.withdrawn_on == planned


def _differing(before: Input | None, after: Input) -> list[str]:
    """The names of the fields that differ; none for a new document."""
    if before is None:
        return []
    return [n for n in type(after).model_fields if getattr(before, n) != getattr(after, n)]


def _plan_moves(folder: ContentFolder, recorded: RecordedContent) -> dict[DocumentKey, str]:
    """The former slugs that do not lead to their text yet.

    Public texts come first: an older slug may already lead to the text by way of one of them.
    """
    wanted = {
        key._replace(slug=slug): key.slug
        for key, file in folder.files.items()
        for slug in file.facts.former_slugs
    }

    def is_live(key: DocumentKey) -> bool:
        document = recorded.documents.get(key)
        return document is not None and document.live is not None

    moves: dict[DocumentKey, str] = {}
    for key in sorted(wanted, key=lambda key: (not is_live(key), key)):
        if is_live(key) or recorded.target_of(key, moves=moves) != wanted[key]:
            moves[key] = wanted[key]
    return moves


def _conflict(
    key: DocumentKey,
    folder: ContentFolder,
    recorded: RecordedContent,
    marks: Marks,
    is_touched: bool,
    find_origin: FindOrigin,
) -> str | None:
    """Why a document must not be pushed; `None` if nothing forbids it.

    With a mark, nothing else may have been recorded since. Without one, a push never replaces what
    staff saved, published, withdrew or planned.
    """
    document, mark = recorded.documents.get(key), marks.find(key)
    newest = document.newest if document else None
    if mark is not None:
        if newest != mark.revision:
            return f"revision {newest or 0} is the newest, the folder knows {mark.revision}"
        if document and is_touched and Mark.of(document) != mark:
            return "it was published or withdrawn after the folder was pulled"
        return None
    if document is None or newest is None or not is_touched:
        return None
    if find_origin(key) is Origin.STAFF:
        return f"revision {newest} was saved by staff, and the folder does not know it"
    file = folder.files.get(key)
    day = file.facts.withdrawn_on if file else None
    was_drafted = document.live is None and not document.is_withdrawn and not document.moved_to
    if document.withdrawn_on not in (None, day) or not (document.live == newest or was_drafted):
        return "it was published or withdrawn, and the folder does not know it"
    return None


def _notes(plan: DocumentPlan, *, is_minor: bool) -> Iterator[str]:
    name, reviewed_on = name_of(plan.key), plan.recorded.review.last_reviewed_on
    if plan.publishes and reviewed_on and not plan.reviews and not is_minor:
        yield f"{name}: its review of {reviewed_on} does not count for the new text"
    planned = plan.recorded.planned - plan.calls_off
    if plan.changes and planned > 0:
        yield f"{name}: {planned} planned publications or withdrawals stand"


_ORDER = list(Kind)


def in_order(plan: PushPlan) -> list[DocumentPlan]:
    """The changed documents in the order to publish them: an FAQ after its section."""
    return sorted(plan.changed, key=lambda each: (_ORDER.index(each.key.kind), each.key))
