"""What a route may ask for. What does not block is `async`: a thread costs more than it does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from api.problems import RETRY_AFTER, Unavailable
from data.crypto import Keyring
from data.database import reading, writing
from models.settings import Settings

_WAIT_SECONDS = 10


async def get_keyring(request: Request) -> Keyring:
    keyring: Keyring = request.app.state.keyring
    keyring.look_again()
    return keyring


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def get_session(request: Request) -> Iterator[Session]:
    with reading(request.app.state.engine) as session:
        yield session


async def take_turn(request: Request) -> AsyncIterator[None]:
    """As many at once as the database lets write; those who wait hold no thread."""
    writers: asyncio.Semaphore = request.app.state.writers
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            await writers.acquire()
    except TimeoutError:
        raise Unavailable(headers=RETRY_AFTER) from None
    try:
        yield
    finally:
        writers.release()


TurnDep = Annotated[None, Depends(take_turn, scope="function")]


def get_write_session(request: Request, _turn: TurnDep) -> Iterator[Session]:
    with writing(request.app.state.engine) as session:
        yield session


SettingsDep = Annotated[Settings, Depends(get_settings)]

KeyringDep = Annotated[Keyring, Depends(get_keyring)]

# scope="function": the transaction is over before the answer leaves.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]

WriteSessionDep = Annotated[Session, Depends(get_write_session, scope="function")]
