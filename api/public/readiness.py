"""The readiness probe. It remembers results, so that many probes do not slow down requests."""

import asyncio
import logging
import time

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.http.middleware import describe_exception
from data.operations.health import CHECKS, Check, CheckFailed, Service
from data.postgresql import NotDurable
from data.write_queue import WriteQueue, WriteQueueTimeout
from models.health import CheckPublic, CheckStatus, Readiness

log = logging.getLogger("clinic_api")

# Failures are remembered for a shorter time, so that a recovery is reported soon.
_VALID_SECONDS = {CheckStatus.OK: 5.0, CheckStatus.FAILED: 1.0}


class ReadinessProbe:
    """Runs the checks whose results are too old. Concurrent callers share one run."""

    def __init__(self, service: Service, *, queue: WriteQueue) -> None:
        self._service = service
        self._queue = queue
        self._found: dict[str, CheckPublic] = {}
        self._due_at = {check.name: 0.0 for check in CHECKS}
        self._running: asyncio.Task[None] | None = None

    async def check(self) -> Readiness:
        if self._list_due():
            if self._running is None:
                self._running = asyncio.create_task(self._check_due())
            # If this caller disconnects, the checks go on for the other callers.
            await asyncio.shield(self._running)
        vital = [self._found[check.name] for check in CHECKS if check.is_vital]
        ready = all(found.status is CheckStatus.OK for found in vital)
        return Readiness(
            status="ready" if ready else "unavailable",
            checks=[self._found[check.name] for check in CHECKS],
        )

    def _list_due(self) -> list[Check]:
        now = time.monotonic()
        return [check for check in CHECKS if self._due_at[check.name] <= now]

    async def _check_due(self) -> None:
        due = self._list_due()
        try:
            # Concurrently: if the database does not answer, each check waits for its timeout.
            outcomes = await asyncio.gather(*map(self._run_check, due), return_exceptions=True)
        finally:
            self._running = None
        errors = [outcome for outcome in outcomes if not isinstance(outcome, str | CheckFailed)]
        if errors:
            log.error("database %s", describe_exception(errors[0]))
        for check, outcome in zip(due, outcomes, strict=True):
            self._remember(check, outcome)

    async def _run_check(self, check: Check) -> str:
        if not check.writes:
            return await run_in_threadpool(check.run, self._service)
        async with self._queue.slot():
            return await run_in_threadpool(check.run, self._service)

    def _remember(self, check: Check, outcome: str | BaseException) -> None:
        match outcome:
            case str() | CheckFailed():
                detail = str(outcome)
            case SQLAlchemyError() | NotDurable() | WriteQueueTimeout():
                detail = "The database cannot be used now."
            case _:
                detail = "The check could not be carried out."
        status = CheckStatus.OK if isinstance(outcome, str) else CheckStatus.FAILED
        self._found[check.name] = CheckPublic(name=check.name, status=status, detail=detail)
        self._due_at[check.name] = time.monotonic() + _VALID_SECONDS[status]
