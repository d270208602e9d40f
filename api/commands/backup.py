"""Backups of the database, and the way back from one."""

from pathlib import Path
from typing import Annotated

import typer

from api import server
from api.commands.opening import (
    fail,
    one_line_faults,
    open_engine,
    opened_database,
    require_word,
)
from data.crypto import Keyring
from data.operations.backup import record_backup
from data.operations.restore import CheckedBackup, check_backup, restore_backup
from data.operations.roles import grant_serving
from data.schema import NEWEST_REVISION
from models.settings import Settings, read_settings

_KEPT = 14


def back_up(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Without it, CLINIC_BACKUP_DIR.")
    ] = None,
    keep: Annotated[
        int, typer.Option(min=1, help="How many backups stay in the folder, this one included.")
    ] = _KEPT,
) -> None:
    """Write a dated backup and its manifest to a folder, while the service runs."""
    with opened_database(current=False) as engine:
        folder = folder or read_settings().backup_dir
        if folder is None:
            fail("name a folder, or set CLINIC_BACKUP_DIR")
        typer.echo(record_backup(engine, folder=folder.absolute(), keep=keep))


def restore(
    file: Annotated[Path, typer.Argument(help="The backup; its manifest is beside it.")],
    check: Annotated[
        bool, typer.Option("--check", help="Look whether it could be restored; change nothing.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(metavar="WORD", help="`restore`, where nobody can be asked.")
    ] = None,
) -> None:
    """Fill an empty place with a backup, or look whether that would work."""
    with one_line_faults():
        settings = read_settings()
        keyring = _find_keyring(settings)
        if check:
            checked = check_backup(file, keyring=keyring)
            typer.echo(_summary(file, checked))
            if checked.damaged:
                _tell_damage(checked)
                raise typer.Exit(1)
            return
        warning = f"This makes {file} the clinic's database."
        require_word("restore", given=confirm, warning=warning)
        checked = restore_backup(file, url=settings.owner_url, keyring=keyring)
        if settings.migration_database_url:
            with open_engine(settings.owner_url, current=False) as engine:
                grant_serving(engine, serving_url=settings.database_url)
    typer.echo(_summary(file, checked))
    _tell_damage(checked)
    if checked.manifest.schema_revision != NEWEST_REVISION:
        typer.echo("It was restored with an older schema: run `python main.py migrate`.")


def _find_keyring(settings: Settings) -> Keyring | None:
    # A backup in which nothing is sealed needs none.
    if settings.keyring is None and not settings.keyring_path.exists():
        return None
    return Keyring(server.read_keyring(settings))


def _summary(file: Path, checked: CheckedBackup) -> str:
    manifest = checked.manifest
    taken_at = f"{manifest.taken_at:%Y-%m-%dT%H:%M:%SZ}"
    rows, revision = sum(manifest.rows.values()), manifest.schema_revision
    return (
        f"{file.name}: {rows} rows of {taken_at}, schema {revision}, "
        f"{checked.opened} sealed values opened"
    )


def _tell_damage(checked: CheckedBackup) -> None:
    for place in checked.damaged:
        typer.echo(f"damaged: {place}", err=True)
