"""Commands for the keys that seal what people send."""

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

keys = typer.Typer(help="The keys that seal what people send.", no_args_is_help=True)


@keys.command("create")
def create_keys(file: Annotated[Path, typer.Argument(help="Path of the new file.")]) -> None:
    """Create a keyring file with one new key, for CLINIC_KEYRING_FILE."""
    try:
        crypto.write_keyring(file, generated=False)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    typer.echo(f"{file} opens everything that patients send. Keep a copy apart from the data.")


@keys.command("list")
def list_keys() -> None:
    """List the keys with the number of values that each one sealed."""
    with opened_database() as engine:
        document = server.read_keyring(read_settings())
        for key_id, sealed in _count(engine, document):
            role = "active" if key_id == document.active else "inactive"
            typer.echo(f"{key_id}  {role:<8}  seals {sealed}")


@keys.command("check")
def check_keys() -> None:
    """List the keys with their numbers of values. Fails if the service cannot start with them."""
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
    """Add a new key to the keyring. It seals nothing before `keys rotate`."""
    settings, file = _settings_and_file()
    with opened_database() as engine, writing(engine) as session:
        key_id = rotation.add_key(session, file=file, strict=settings.is_production)
    typer.echo(f"{key_id} was added. Copy {file} to every machine that serves, and keep a copy.")


@keys.command("import")
def import_keys(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Another keyring file.")],
) -> None:
    """Add the keys of another keyring file, for example for an old backup."""
    _, file = _settings_and_file()
    with opened_database() as engine, writing(engine) as session:
        imported = rotation.import_keys(session, file=file, source=source)
    for key_id in imported:
        typer.echo(f"{key_id} was imported.")
    if not imported:
        typer.echo("The keyring already has all these keys.")


@keys.command("rotate")
def rotate_keys() -> None:
    """Make the newest key the active one, and reseal everything with it. It can be repeated."""
    settings, file = _settings_and_file()
    total = rotation.Resealed()
    with opened_database() as engine:
        with writing(engine) as session:
            key_id = rotation.activate_newest(session, file=file, strict=settings.is_production)
        keyring = server.open_keyring(engine, settings)
        for resealed in rotation.reseal(engine, keyring=keyring):
            total.done += resealed.done
            total.damaged += resealed.damaged
    typer.echo(f"{key_id} is active; {total.done} values were resealed.")
    for broken in total.damaged:
        typer.echo(f"clinic-api: {broken}", err=True)
    if total.damaged:
        raise typer.Exit(1)


@keys.command("retire")
def retire_key(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    forget_answers: Annotated[
        bool, typer.Option("--forget-answers", help="Delete stored answers that need the key.")
    ] = False,
) -> None:
    """Remove a key that is not needed any more."""
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
