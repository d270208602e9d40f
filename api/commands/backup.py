"""The commands `backup` and `restore`."""

from pathlib import Path
from typing import Annotated

import typer

from api import server
from api.commands.confirming import require_word
from api.commands.opening import fail, one_line_faults, open_engine, opened_database
from data.crypto import Keyring
from data.operations.backup import record_backup
from data.operations.restore import CheckedBackup, check_backup, restore_backup
from data.operations.roles import grant_serving
from data.schema import NEWEST_REVISION
from models.settings import Settings, read_settings

_KEPT_BACKUPS = 14


def back_up(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The default is CLINIC_BACKUP_DIR.")
    ] = None,
    keep: Annotated[
        int, typer.Option(min=1, help="How many backups to keep, including the new one.")
    ] = _KEPT_BACKUPS,
) -> None:
    """Write a backup and its manifest to a folder. The service may run meanwhile."""
    with opened_database(current=False) as engine:
        folder = folder or read_settings().backup_dir
        if folder is None:
            fail("name a folder, or set CLINIC_BACKUP_DIR")
        typer.echo(record_backup(engine, folder=folder.absolute(), keep=keep))


def restore(
    file: Annotated[
        Path, typer.Argument(help="The backup. Its manifest must be in the same folder.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Only check the backup; change nothing.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(metavar="WORD", help="`restore`, to confirm without a prompt.")
    ] = None,
) -> None:
    """Restore a backup into an empty database, or check whether that is possible."""
    with one_line_faults():
        settings = read_settings()
        keyring = _find_keyring(settings)
        if check:
            checked = check_backup(file, keyring=keyring)
            typer.echo(_summary(file, checked))
            if checked.damaged:
                _print_damage(checked)
                raise typer.Exit(1)
            return
        warning = f"This restores {file} as the clinic's database."
        require_word("restore", given=confirm, warning=warning)
        checked = restore_backup(file, url=settings.owner_url, keyring=keyring)
        if settings.migration_database_url:
            with open_engine(settings.owner_url, current=False) as engine:
                grant_serving(engine, serving_url=settings.database_url)
    typer.echo(_summary(file, checked))
    _print_damage(checked)
    if checked.manifest.schema_revision != NEWEST_REVISION:
        typer.echo("The restored database has an older schema: run `python main.py migrate`.")


def _find_keyring(settings: Settings) -> Keyring | None:
    # A backup without sealed values needs no keyring.
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


def _print_damage(checked: CheckedBackup) -> None:
    for location in checked.damaged:
        typer.echo(f"damaged: {location}", err=True)
