"""The keys that open what people sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from api import server
from api.commands.opening import fail, opened_database
from data import crypto
from data.database import reading, writing
from data.operations import rotation
from models.settings import Settings, read_settings

keys = typer.Typer(help="The keys that open what people sent.", no_args_is_help=True)


@keys.command("create")
def create_keys(file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Write a keyring with one new key to a new file, for CLINIC_KEYRING_FILE."""
    try:
        crypto.write_keyring(file, generated=False)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    typer.echo(f"{file} opens everything that patients send. Keep a copy apart from the data.")


@keys.command("list")
def list_keys() -> None:
    """Each key, which one is active, and how much each of them seals."""
    with opened_database() as engine:
        document = server.read_keyring(read_settings())
        for key_id, sealed in _count(engine, document):
            place = "active" if key_id == document.active else "beside"
            typer.echo(f"{key_id}  {place}  seals {sealed}")


@keys.command("check")
def check_keys() -> None:
    """Each key and how much it seals; fails where the service would not start with them."""
    settings = read_settings()
    with opened_database() as engine:
        for key_id, sealed in _count(engine, server.read_keyring(settings)):
            typer.echo(f"{key_id}  seals {sealed}")
        server.open_keyring(engine, settings)


def _count(engine: Engine, document: crypto.KeyringDocument) -> Iterator[tuple[str, int]]:
    with reading(engine) as session:
        for key_id in document.keys:
            yield key_id, sum(rotation.count_sealed(session, key_id=key_id).values())


@keys.command("add")
def add_key() -> None:
    """Add a key beside the active one; nothing is sealed with it before `rotate`."""
    settings, file = _settings_and_file()
    with opened_database() as engine, writing(engine) as session:
        key_id = rotation.add_key(session, file=file, strict=settings.is_production)
    typer.echo(f"{key_id} was added. Keep a copy of {file}, on every machine that serves.")


@keys.command("import")
def import_keys(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Another keyring file.")],
) -> None:
    """Bring in the keys of another keyring, as an old backup needs; the active key stays."""
    _, file = _settings_and_file()
    with opened_database() as engine, writing(engine) as session:
        imported = rotation.import_keys(session, file=file, source=source)
    for key_id in imported:
        typer.echo(f"{key_id} was brought in.")
    if not imported:
        typer.echo("Each of its keys is here already.")


@keys.command("rotate")
def rotate_keys() -> None:
    """Seal with the newest key from now on, and everything there is anew; can be run again."""
    settings, file = _settings_and_file()
    total = rotation.Resealed()
    with opened_database() as engine:
        with writing(engine) as session:
            key_id = rotation.activate_newest(session, file=file, strict=settings.is_production)
        keyring = server.open_keyring(engine, settings)
        for resealed in rotation.reseal(engine, keyring=keyring):
            total.done += resealed.done
            total.damaged += resealed.damaged
    typer.echo(f"{key_id} is active; {total.done} things were sealed anew.")
    for broken in total.damaged:
        typer.echo(f"clinic-api: {broken}", err=True)
    if total.damaged:
        raise typer.Exit(1)


@keys.command("retire")
def retire_key(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    forget_answers: Annotated[
        bool, typer.Option("--forget-answers", help="Give up answers that are kept for a retry.")
    ] = False,
) -> None:
    """Take a key away that nothing is sealed with any more."""
    settings, file = _settings_and_file()
    with opened_database() as engine:
        rotation.retire_key(
            engine,
            file=file,
            strict=settings.is_production,
            key_id=key_id,
            forget_answers=forget_answers,
        )
    typer.echo(f"{key_id} is retired.")


def _settings_and_file() -> tuple[Settings, Path]:
    settings = read_settings()
    if settings.keyring is not None:
        fail("the keys are in CLINIC_KEYRING: change them there")
    return settings, settings.keyring_path
