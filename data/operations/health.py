"""The health checks of the service."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, delete
from sqlmodel import Session, col

from data.crypto import KeyringFault
from data.database import reading, writing
from data.documents.published import NotLoaded
from data.documents.status import find_status
from data.live_keyring import LiveKeyring
from data.notifications.deliveries import count_dead
from data.notifications.mail_health import is_mail_failing
from data.sealing_keys import verify_keys
from models.health import HealthProbe
from models.settings import Settings

# The size of the largest request. If the disk has less space, requests cannot be stored.
_PROBE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Service:
    """The parts of the service that are checked."""

    engine: Engine
    keyring: LiveKeyring
    settings: Settings


class CheckFailed(Exception):
    """A check found a fault. The message may be shown to everybody."""


@dataclass(frozen=True)
class Check:
    """A health check. `run` returns a sentence, or raises `CheckFailed` or a database error."""

    name: str
    run: Callable[[Service], str]
    # Whether the service is not ready if this check fails.
    is_vital: bool = True
    writes: bool = False


def probe_writing(session: Session) -> None:
    """Inserts a row with the size of a large request, then deletes the row of the last probe.

    In the reverse order, the insert would reuse the space of the deleted row and would succeed on
    a full disk.
    """
    probe = HealthProbe(payload=os.urandom(_PROBE_BYTES))
    session.add(probe)
    session.flush()
    session.connection().execute(delete(HealthProbe).where(col(HealthProbe.id) != probe.id))


def check_database(service: Service) -> str:
    with writing(service.engine) as session:
        probe_writing(session)
    return "The database accepts writes."


def check_content(service: Service) -> str:
    try:
        with reading(service.engine) as session:
            find_status(session)
    except NotLoaded:
        raise CheckFailed("The database has no content.") from None
    return "The database has content."


def check_keys(service: Service) -> str:
    service.keyring.reload_if_changed()
    if service.keyring.fault is not None:
        raise CheckFailed("The changed keyring file cannot be used; the previous keys stay in use.")
    try:
        with reading(service.engine) as session:
            verify_keys(session, service.keyring)
    except KeyringFault:
        raise CheckFailed("The keyring lacks a key that sealed data needs.") from None
    return "The keyring has all keys that sealed data needs."


def check_mail(service: Service) -> str:
    with reading(service.engine) as session:
        if is_mail_failing(session):
            raise CheckFailed("An e-mail cannot be sent; `/v1/staff/deliveries` has the reason.")
    return "No e-mail is delayed by a fault."


def check_deliveries(service: Service) -> str:
    with reading(service.engine) as session:
        dead = count_dead(session)
    if dead:
        failed = "1 notification has" if dead == 1 else f"{dead} notifications have"
        raise CheckFailed(f"{failed} failed permanently; `/v1/staff/deliveries` has the reason.")
    return "No notification has failed permanently."


CHECKS = (
    Check("database", check_database, writes=True),
    Check("content", check_content),
    Check("keys", check_keys),
    Check("mail", check_mail, is_vital=False),
    Check("deliveries", check_deliveries, is_vital=False),
)
