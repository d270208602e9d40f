"""Whether the service is ready, remembered, so that asking for it costs those who send nothing."""

import asyncio
import logging
import time

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.http.middleware import describe
from data.operations.health import CHECKS, Check, CheckFailed, Service
from data.postgresql import NotDurable
from data.write_queue import WriteQueue, WriteQueueTimeout
from models.health import CheckPublic, CheckStatus, Readiness

log = logging.getLogger("clinic_api")

# A recovery is told sooner than it could be if failures were remembered as long.
_KEPT_SECONDS = {CheckStatus.OK: 5.0, CheckStatus.FAILED: 1.0}


class ReadinessProbe:
    """Looks at what is due, once for all who ask at the same time."""

    def __init__(self, service: Service, *, queue: WriteQueue) -> None:
        self._service = service
        self._queue = queue
        self._found: dict[str, CheckPublic] = {}
        self._due_at = {check.name: 0.0 for check in CHECKS}
        self._under_way: asyncio.Task[None] | None = None

    async def check(self) -> Readiness:
        if self._list_due():
            if self._under_way is None:
                self._under_way = asyncio.create_task(self._check_due())
            # A caller who goes away does not take the answer from the others.
            await asyncio.shield(self._under_way)
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
            # Side by side: a database that does not answer keeps each of them waiting.
            outcomes = await asyncio.gather(*map(self._perform, due), return_exceptions=True)
        finally:
            self._under_way = None
        away = [outcome for outcome in outcomes if not isinstance(outcome, str | CheckFailed)]
        if away:
            log.error("database %s", describe(away[0]))
        for check, outcome in zip(due, outcomes, strict=True):
            self._remember(check, outcome)

    async def _perform(self, check: Check) -> str:
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
                detail = "The check itself failed."
        status = CheckStatus.OK if isinstance(outcome, str) else CheckStatus.FAILED
        self._found[check.name] = CheckPublic(name=check.name, status=status, detail=detail)
        self._due_at[check.name] = time.monotonic() + _KEPT_SECONDS[status]
