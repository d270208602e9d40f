"""The background tasks of a running service. Each one runs until `stopped` is set."""

import asyncio
import logging
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from api.runtime import Runtime
from data.live_keyring import LiveKeyring
from data.notifications.dispatch import Dispatcher
from data.operations import upkeep

log = logging.getLogger("clinic_api")

_UPKEEP_EVERY_SECONDS = 60
_DELIVERY_EVERY_SECONDS = 0.25
_KEYS_EVERY_SECONDS = 2
# A supervisor kills a process that stops too slowly; Docker does so after 10 s.
_FINISH_SECONDS = 3.0


async def reload_keys(keyring: LiveKeyring, stopped: asyncio.Event) -> None:
    """Loads the keyring file when it has changed, also while there are no requests."""
    while not stopped.is_set():
        try:
            if keyring.is_stale:
                await run_in_threadpool(keyring.reload_if_changed)
        except Exception as error:
            log.error("the keyring file could not be checked: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _KEYS_EVERY_SECONDS)


async def run_upkeep(runtime: Runtime, stopped: asyncio.Event) -> None:
    """Runs the upkeep once a minute."""
    while not stopped.is_set():
        try:
            await upkeep.run_upkeep(
                runtime.engine, retention=runtime.settings.retention, queue=runtime.write_queue
            )
        except Exception as error:
            log.error("upkeep could not be done: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _UPKEEP_EVERY_SECONDS)


async def run_deliveries(dispatcher: Dispatcher, stopped: asyncio.Event) -> None:
    """Sends the messages of the outbox when they are due. A repeated failure is logged once."""
    is_failing = False
    while not stopped.is_set():
        try:
            await dispatcher.send_due()
            is_failing = False
        except Exception as error:
            if not is_failing:
                log.error("the outbox could not be read: %s", type(error).__name__)
            is_failing = True
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _DELIVERY_EVERY_SECONDS)
    await dispatcher.finish(seconds=_FINISH_SECONDS)
