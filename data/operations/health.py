"""What the service needs to do its work: one small function for each check."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, delete
from sqlmodel import Session, col

from data.crypto import KeyringFault
from data.database import reading, writing
from data.documents.status import NotLoaded, find_status
from data.live_keyring import LiveKeyring
from data.notifications.deliveries import count_dead
from data.notifications.mail_health import is_mail_failing
from data.sealing_keys import verify_keys
from models.health import HealthProbe
from models.settings import Settings

# As much as the largest request needs: a disk that cannot take it is full for our purpose.
_PROBE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Service:
    """What the checks look at."""

    engine: Engine
    keyring: LiveKeyring
    settings: Settings


class CheckFailed(Exception):
    """What is wrong, in a sentence that anybody may read."""


@dataclass(frozen=True)
class Check:
    """`run` returns what it found; it raises `CheckFailed`, or whatever the database raises."""

    name: str
    run: Callable[[Service], str]
    # Whether the service is not ready when this fails.
    is_vital: bool = True
    writes: bool = False


def probe_writing(session: Session) -> None:
    """Writes what a large request would take, and then erases what the probe before wrote.

    In this order: pages that are freed first would be taken again on a disk that is full.
    """
    probe = HealthProbe(payload=os.urandom(_PROBE_BYTES))
    session.add(probe)
    session.flush()
    session.connection().execute(delete(HealthProbe).where(col(HealthProbe.id) != probe.id))


def check_database(service: Service) -> str:
    with writing(service.engine) as session:
        probe_writing(session)
    return "The database takes a write."


def check_content(service: Service) -> str:
    try:
        with reading(service.engine) as session:
            find_status(session)
    except NotLoaded:
        raise CheckFailed("The database holds no content.") from None
    return "The database holds content."


def check_keys(service: Service) -> str:
    service.keyring.reload_if_changed()
    if service.keyring.fault is not None:
        raise CheckFailed("The keyring file does not fit; the keys from before are in use.")
    try:
        with reading(service.engine) as session:
            verify_keys(session, service.keyring)
    except KeyringFault:
        raise CheckFailed("The keys do not open everything that was sealed.") from None
    return "The keys open everything that was sealed."


def check_mail(service: Service) -> str:
    with reading(service.engine) as session:
        if is_mail_failing(session):
            raise CheckFailed("A letter cannot be sent; `/v1/staff/deliveries` says why.")
    return "No letter waits because of a fault."


def check_deliveries(service: Service) -> str:
    with reading(service.engine) as session:
        dead = count_dead(session)
    if dead:
        given_up = "1 notification was" if dead == 1 else f"{dead} notifications were"
        raise CheckFailed(f"{given_up} given up; `/v1/staff/deliveries` says why.")
    return "No notification was given up."


CHECKS = (
    Check("database", check_database, writes=True),
    Check("content", check_content),
    Check("keys", check_keys),
    Check("mail", check_mail, is_vital=False),
    Check("deliveries", check_deliveries, is_vital=False),
)
