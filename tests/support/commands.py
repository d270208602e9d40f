"""The command line without a new process for each command."""

from pathlib import Path

from typer.testing import CliRunner, Result

from main import command_line
from tests.support.process import environment


def invoke(*arguments: str, folder: Path, **changes: str) -> Result:
    values: dict[str, str | None] = {**environment(folder, **changes)}
    return CliRunner().invoke(command_line, arguments, env=values)
