"""Runs commands of the command line in the process of the tests."""

from pathlib import Path

from typer.testing import CliRunner, Result

from main import command_line
from tests.support.process import environment


def invoke(*arguments: str, folder: Path, **changes: str) -> Result:
    """Runs one command with the settings of a folder; `changes` are environment variables."""
    values: dict[str, str | None] = {**environment(folder, **changes)}
    return CliRunner().invoke(command_line, arguments, env=values)
