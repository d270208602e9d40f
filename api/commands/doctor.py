"""Checks of the installation as a whole."""

from enum import StrEnum
from typing import Annotated

import typer
from pydantic import BaseModel

from api import server
from api.commands.opening import FAULTS, explain, open_engine
from data.operations.doctor import CHECKS
from data.operations.health import Check, CheckFailed, Service
from models.settings import read_settings


class Finding(StrEnum):
    """What a check found, the worst one last."""

    OK = "ok"
    FAILED = "failed"
    # The check could not be made.
    ERROR = "error"


class CheckResult(BaseModel):
    """One check, and what it found in a sentence for an operator."""

    name: str
    status: Finding
    detail: str


class Report(BaseModel):
    """Every check, and the worst status of them."""

    status: Finding
    checks: list[CheckResult]


_EXIT_CODES = {Finding.OK: 0, Finding.FAILED: 1, Finding.ERROR: 2}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check what may be unsafe or wrong.

    The exit code is 0 where nothing is, 1 where something is, 2 where a check could not be made.
    """
    try:
        settings = read_settings()
        with open_engine() as engine:
            service = Service(engine, server.open_keyring(engine, settings), settings)
            results = [_run(check, service) for check in CHECKS]
    except FAULTS as error:
        results = [CheckResult(name="start", status=Finding.ERROR, detail=explain(error))]
    status = max((result.status for result in results), key=list(Finding).index)
    if as_json:
        typer.echo(Report(status=status, checks=results).model_dump_json(indent=2))
    else:
        for result in results:
            typer.echo(f"{result.status:<7}{result.name:<11}{result.detail}")
    raise typer.Exit(_EXIT_CODES[status])


def _run(check: Check, service: Service) -> CheckResult:
    try:
        return CheckResult(name=check.name, status=Finding.OK, detail=check.run(service))
    except CheckFailed as failed:
        return CheckResult(name=check.name, status=Finding.FAILED, detail=str(failed))
    except FAULTS as error:
        return CheckResult(name=check.name, status=Finding.ERROR, detail=explain(error))
