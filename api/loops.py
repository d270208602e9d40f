"""What the service does by itself while it runs, until it is stopped."""

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
# Within what a stopping service is given.
_FINISH_SECONDS = 3.0


async def follow_keys(keyring: LiveKeyring, stopped: asyncio.Event) -> None:
    """Notices a changed keyring file also while no request comes."""
    while not stopped.is_set():
        try:
            if keyring.is_stale:
                await run_in_threadpool(keyring.reload_if_changed)
        except Exception as error:
            log.error("the keyring file could not be checked: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _KEYS_EVERY_SECONDS)


async def run_upkeep(runtime: Runtime, stopped: asyncio.Event) -> None:
    """Erases and ends what is due, once a minute."""
    while not stopped.is_set():
        try:
            await upkeep.run_upkeep(
                runtime.engine, retention=runtime.settings.retention, queue=runtime.write_queue
            )
        except Exception as error:
            log.error("upkeep could not be done: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _UPKEEP_EVERY_SECONDS)


async def deliver(dispatcher: Dispatcher, stopped: asyncio.Event) -> None:
    """Sends the messages of the outbox as soon as they are due."""
    is_away = False
    while not stopped.is_set():
        try:
            await dispatcher.send_due()
            is_away = False
        except Exception as error:
            if not is_away:
                log.error("the outbox could not be read: %s", type(error).__name__)
            is_away = True
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _DELIVERY_EVERY_SECONDS)
    await dispatcher.finish(seconds=_FINISH_SECONDS)
