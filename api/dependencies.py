"""What a route may ask for."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from data.crypto import Keyring
from data.database import reading, writing


def get_keyring(request: Request) -> Keyring:
    keyring: Keyring = request.app.state.keyring
    return keyring


def get_session(request: Request) -> Iterator[Session]:
    with reading(request.app.state.engine) as session:
        yield session


def get_write_session(request: Request) -> Iterator[Session]:
    with writing(request.app.state.engine) as session:
        yield session


KeyringDep = Annotated[Keyring, Depends(get_keyring)]

# scope="function": the transaction is over before the answer leaves.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]

# One writer at a time: those who wait hold no thread, so reads go on.
WriteSessionDep = Annotated[
    Session, Depends(get_write_session, scope="function", max_concurrency=1)
]
