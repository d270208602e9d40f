"""The command `doctor`: checks the installation."""

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
    """The status of a check, from best to worst."""

    OK = "ok"
    FAILED = "failed"
    # The check itself could not be carried out.
    ERROR = "error"


class CheckResult(BaseModel):
    """The result of one check. `detail` is a sentence for an operator."""

    name: str
    status: Finding
    detail: str


class Report(BaseModel):
    """The results of all checks, and the worst status."""

    status: Finding
    checks: list[CheckResult]


_EXIT_CODES = {Finding.OK: 0, Finding.FAILED: 1, Finding.ERROR: 2}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check the installation for faults and risks.

    The exit code is 0 if all checks pass, 1 if a check fails, 2 if a check cannot be carried out.
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
