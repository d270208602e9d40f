"""The dependencies of routes. Those that do not block are `async`, which saves a thread."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api.runtime import runtime_of
from data.crypto import Keyring
from data.database import reading, writing
from models.settings import Settings


async def get_keyring(request: Request) -> Keyring:
    keyring = runtime_of(request).keyring
    if keyring.is_stale:
        # Another process may already use a new key for the digests of idempotency keys.
        await run_in_threadpool(keyring.reload_if_changed)
    return keyring


async def get_settings(request: Request) -> Settings:
    return runtime_of(request).settings


def get_session(request: Request) -> Iterator[Session]:
    with reading(runtime_of(request).engine) as session:
        yield session


async def take_write_slot(request: Request) -> AsyncIterator[None]:
    async with runtime_of(request).write_queue.slot():
        yield


WriteSlotDep = Annotated[None, Depends(take_write_slot, scope="function")]


def get_write_session(request: Request, _slot: WriteSlotDep) -> Iterator[Session]:
    with writing(runtime_of(request).engine) as session:
        yield session


SettingsDep = Annotated[Settings, Depends(get_settings)]

KeyringDep = Annotated[Keyring, Depends(get_keyring)]

# scope="function": the transaction is committed before the answer is sent.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]

WriteSessionDep = Annotated[Session, Depends(get_write_session, scope="function")]
