"""The keys that open what people sent."""

from pathlib import Path
from typing import Annotated

import typer

from api import server
from api.commands.opening import fail, opened_database
from data import crypto, rotation
from data.database import writing
from models.settings import read_settings

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
        for key_id, is_active, sealed in rotation.list_keys(engine, file=_file()):
            typer.echo(f"{key_id}  {'active' if is_active else 'beside'}  seals {sealed}")


@keys.command("add")
def add_key() -> None:
    """Add a key beside the active one; nothing is sealed with it before `rotate`."""
    with opened_database() as engine, writing(engine) as session:
        key_id = rotation.add_key(session, file=_file())
    typer.echo(f"{key_id} was added. Keep a copy of {_file()}, on every machine that serves.")


@keys.command("rotate")
def rotate_keys() -> None:
    """Seal with the newest key from now on, and everything there is anew; can be run again."""
    resealed = 0
    with opened_database() as engine:
        key_id = rotation.activate_newest(engine, file=_file())
        keyring = server.open_keyring(engine, read_settings())
        for done in rotation.reseal(engine, keyring=keyring):
            resealed += done
    typer.echo(f"{key_id} is active; {resealed} things were sealed anew.")


@keys.command("retire")
def retire_key(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    forget_answers: Annotated[
        bool, typer.Option("--forget-answers", help="Give up answers that are kept for a retry.")
    ] = False,
) -> None:
    """Take a key away that nothing is sealed with any more."""
    with opened_database() as engine:
        rotation.retire_key(engine, file=_file(), key_id=key_id, forget_answers=forget_answers)
    typer.echo(f"{key_id} is retired.")


def _file() -> Path:
    settings = read_settings()
    if settings.keyring is not None:
        fail("the keys are in CLINIC_KEYRING: change them there")
    return settings.keyring_path
