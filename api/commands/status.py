"""Commands for the clinic's state."""

import json
import re
from collections.abc import Iterator
from typing import Annotated

import typer

from api.commands.confirming import require_word
from api.commands.opening import fail, open_for_events, opened_database, opened_for_events
from api.paths import FORM
from data.database import reading, writing
from data.documents.published import find_locale
from data.documents.status import find_status
from data.documents.status_history import list_planned
from data.operations.status_changes import (
    AlreadyInEffect,
    ChangeEffects,
    call_off_change,
    change_status,
    preview_change,
)
from models.audit import COMMAND_LINE
from models.settings import read_settings
from models.status import StatusPublic
from models.status_change import (
    PlannedStatusChange,
    StatusChange,
    StatusChangeCreate,
)
from models.values import ClinicState

status = typer.Typer(help="The clinic's state.", no_args_is_help=True)

StateArgument = Annotated[
    str, typer.Argument(help="open, temporarily_closed or permanently_closed")
]
ModeOption = Annotated[
    str | None, typer.Option(help="How requests are accepted: open, waitlist, paused, closed.")
]
EffectiveFromOption = Annotated[
    str | None,
    typer.Option(help="Time with UTC offset, such as 2030-01-31T09:00:00Z. The default is now."),
]
BackdatedOption = Annotated[
    bool, typer.Option("--backdated", help="Allow --effective-from to be in the past.")
]
ReopensOnOption = Annotated[
    str | None, typer.Option(help="Day of the reopening, such as 2030-01-31.")
]
ReopenOption = Annotated[
    bool, typer.Option("--reopen", help="Also plan the opening on the day of --reopens-on.")
]
TextOption = Annotated[str | None, typer.Option(help="Replaces the default text of the state.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only show what the change would do.")
]
ConfirmOption = Annotated[
    str | None,
    typer.Option(metavar="WORD", help="permanently_closed, to close permanently without a prompt."),
]


@status.command("show")
def show_status() -> None:
    """Show the clinic's current state and the planned changes."""
    with opened_database() as engine, reading(engine) as session:
        status, locale = find_status(session), find_locale(session)
        now = StatusPublic.of(status, form=FORM, locale=locale).model_dump(mode="json")
        texts = status.content.texts
        planned = [
            PlannedStatusChange.of(row, texts).model_dump(mode="json")
            for row in list_planned(session)
        ]
    typer.echo(json.dumps({**now, "planned": planned}, indent=2, ensure_ascii=False))


@status.command("set")
def set_status(
    state: StateArgument,
    mode: ModeOption = None,
    effective_from: EffectiveFromOption = None,
    backdated: BackdatedOption = False,
    reopens_on: ReopensOnOption = None,
    reopen: ReopenOption = False,
    headline: TextOption = None,
    message: TextOption = None,
    dry_run: DryRunOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Change the clinic's state, now or at a later time."""
    with opened_database() as engine:
        change = StatusChangeCreate.model_validate(
            {
                "state": state,
                "mode": mode,
                "effective_from": effective_from,
                "backdated": backdated,
                "reopens_on": reopens_on,
                "reopen": reopen,
                "headline": headline,
                "message": message,
            }
        )
        with reading(engine) as session:
            lines = [*_lines(preview_change(session, change=change), is_done=False)]
        if dry_run:
            typer.echo("\n".join(["Dry run, nothing is changed:", *lines]))
            return
        # Before the prompt, so that a missing key is reported first.
        open_for_events(engine)
        if change.state is ClinicState.PERMANENTLY_CLOSED:
            warning = "\n".join(["This closes the clinic permanently:", *lines])
            require_word(change.state, given=confirm, warning=warning)
        retention = read_settings().retention
        with writing(engine) as session:
            done = change_status(session, change=change, retention=retention, actor=COMMAND_LINE)
    typer.echo("\n".join(_lines(done, is_done=True)))


@status.command("call-off")
def call_off(
    change_id: Annotated[str, typer.Argument(metavar="ID", help="From `status show`.")],
) -> None:
    """Call off a planned change: it never takes effect."""
    with opened_for_events() as (engine, _), writing(engine) as session:
        number = int(change_id) if re.fullmatch("[0-9]{1,9}", change_id) else 0
        try:
            change = call_off_change(session, change_id=number, actor=COMMAND_LINE)
        except AlreadyInEffect:
            fail("the change is already in effect")
        if change is None:
            fail("there is no such change")
    typer.echo(f"Called off: {_line(change)}")


def _lines(effects: ChangeEffects, *, is_done: bool) -> Iterator[str]:
    """The effects of a change for an operator: of a preview, or with `is_done` of the change."""
    yield _line(effects.change)
    if effects.closes_out:
        is_in_effect = is_done and not effects.change.was_planned
        label = "Requests closed out" if is_in_effect else "Open requests that it will close out"
        yield f"{label}: {effects.closes_out}"
    yield from (f"Called off: {_line(row)}, id {row.id}" for row in effects.calls_off)
    yield from (f"Planned: {_line(row)}, id {row.id or '-'}" for row in effects.planned)


def _line(change: StatusChange) -> str:
    begins = change.takes_effect_at
    instant = begins.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{change.state} from {instant}, consultations: {change.mode}"
