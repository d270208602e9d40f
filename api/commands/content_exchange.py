"""`content pull`, `content diff` and `content push`: files from and to a database or a server."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from api.commands.opening import fail, one_line_faults, opened_database, opened_for_events
from data.database import reading, writing
from data.documents.files import read_content
from data.operations.content_database import DatabaseContent, lock_content, name_database
from data.operations.content_http import ServerContent
from data.operations.content_marks import MarksFault, read_marks, write_marks
from data.operations.content_plan import DocumentPlan, PushPlan, in_order, name_of
from data.operations.content_pull import pull_content
from data.operations.content_push import (
    DEFAULT_NOTE,
    ContentStore,
    PushOptions,
    PushRefused,
    compare,
    push_content,
)
from data.operations.content_server import Server, ServerFault
from models.document import ChangeSize
from models.settings import read_settings

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the content files.")]
ServerOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="A running service, with a token in CLINIC_TOKEN; else the database."
    ),
]
MinorOption = Annotated[
    bool, typer.Option("--minor", help="The change does not move the public `updated_at`.")
]
NoteOption = Annotated[str, typer.Option(help="Why the texts change, for the staff.")]
DraftOption = Annotated[
    bool, typer.Option("--draft", help="Save revisions, and publish none of them.")
]


def pull(folder: FolderArgument, server: ServerOption = None) -> None:
    """Write what is live into a folder. A file that already says the same is not touched."""
    with explained():
        with _opened_for_reading(server) as store:
            recorded = store.read()
        pulled = pull_content(folder, recorded=recorded)
    for name in pulled.written:
        typer.echo(f"written: {name}")
    for reason in pulled.left:
        typer.echo(f"left: {reason}")
    for name in pulled.drafts:
        typer.echo(f"draft: {name}")
    typer.echo(f"{len(pulled.written)} files written, {pulled.unchanged} unchanged.")


def diff(folder: FolderArgument, server: ServerOption = None) -> None:
    """Show what a push would change. Exits with 1 if anything differs, or with a fault."""
    with explained():
        files, marks = read_content(folder), read_marks(folder)
        with _opened_for_reading(server) as store:
            _, plan = compare(files, store=store, marks=marks, options=PushOptions())
    _show(plan)
    if not plan.is_empty or plan.conflicts:
        raise typer.Exit(1)


def push(
    folder: FolderArgument,
    minor: MinorOption = False,
    note: NoteOption = DEFAULT_NOTE,
    draft: DraftOption = False,
    server: ServerOption = None,
) -> None:
    """Save and publish what a folder says, all or nothing."""
    with explained():
        change = ChangeSize.MINOR if minor else ChangeSize.MAJOR
        options = PushOptions(change=change, note=note, is_draft=draft)
        files, marks = read_content(folder), read_marks(folder)
        try:
            with _opened_for_changes(server) as store:
                pushed = push_content(files, store=store, marks=marks, options=options, show=_show)
        except PushRefused as refused:
            if refused.marks:
                write_marks(folder, refused.marks)
            raise
        if not pushed.plan.is_empty:
            typer.echo("Drafts saved." if draft else "Pushed.")
        write_marks(folder, pushed.marks)
        if pushed.faults:
            fail("; ".join(pushed.faults))


@contextmanager
def _opened_for_reading(server: str | None) -> Iterator[ContentStore]:
    if server:
        with _opened_server(server) as store:
            yield store
        return
    with opened_database() as engine, reading(engine) as session:
        yield DatabaseContent(session, source=name_database(engine))


@contextmanager
def _opened_for_changes(server: str | None) -> Iterator[ContentStore]:
    """The store; nothing is changed if the block raises."""
    if server:
        with _opened_server(server) as store:
            yield store
        return
    with opened_for_events() as (engine, _), writing(engine) as session:
        yield lock_content(session, source=name_database(engine))


@contextmanager
def _opened_server(url: str) -> Iterator[ServerContent]:
    token = read_settings().token
    if token is None:
        fail("--server needs a token in CLINIC_TOKEN, with content:write and content:publish")
    # As for Ctrl-C, what is already planned is called off before the command ends.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Server(url, token=token.get_secret_value()) as server:
            yield ServerContent(server)
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def explained() -> Iterator[None]:
    """Ends the command with one line for each fault."""
    try:
        with one_line_faults():
            yield
    except (MarksFault, PushRefused, ServerFault) as fault:
        fail(str(fault))
    except OSError as fault:
        fail(f"a file cannot be read or written: {fault.strerror}")


def _show(plan: PushPlan) -> None:
    for each in in_order(plan):
        typer.echo(f"{name_of(each.key)}: {', '.join(_effects(each))}")
    for key, slug in sorted(plan.moves.items()):
        typer.echo(f"{name_of(key)}: moves to `{slug}`")
    for note in plan.notes:
        typer.echo(f"note: {note}")
    for key in plan.missing:
        typer.echo(f"left: {name_of(key)} is not in the folder")
    for conflict in plan.conflicts:
        typer.echo(f"conflict: {conflict}", err=True)
    if plan.is_empty:
        typer.echo("Nothing differs.")


def _effects(plan: DocumentPlan) -> Iterator[str]:
    """A line that describes the changes of a document by a push."""
    day = plan.file.facts.withdrawn_on
    if plan.is_new:
        yield "added"
    elif plan.fields:
        yield f"changed ({', '.join(plan.fields)})"
    elif plan.publishes:
        yield "published again"
    elif plan.saves:
        yield "saved"
    if plan.calls_off:
        yield "planned withdrawal called off"
    if plan.withdraws:
        yield f"withdrawn on {day}"
    if plan.reviews:
        yield f"reviewed on {plan.file.facts.review.last_reviewed_on}"
