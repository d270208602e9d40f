"""The objects that a running process shares between its requests."""

from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy import Engine

from api.access_events import AccessRecorder
from api.http.rates import AddressLimiter
from api.intake.idempotency_locks import KeyLocks
from api.public.readiness import ReadinessProbe
from data.intake.requests import NewRequest
from data.intake.store import Outcome
from data.live_keyring import LiveKeyring
from data.write_queue import BatchWriter, WriteQueue
from models.consultation_form import FormVersion
from models.settings import Settings


@dataclass(frozen=True)
class OpenIntake:
    """A result of the check of the clinic's state: the clinic takes requests, with this form.

    It is valid while the response cache has the same epoch. `country` and `locale` are the
    clinic's. `others` has the other versions that requests have named, with `None` for one that is
    not accepted.
    """

    epoch: int
    form: FormVersion
    country: str
    locale: str
    others: dict[int, FormVersion | None] = field(default_factory=dict)


@dataclass
class Runtime:
    """The shared objects. One instance is made when the application starts."""

    settings: Settings
    engine: Engine
    keyring: LiveKeyring
    write_queue: WriteQueue
    intake: BatchWriter[NewRequest, Outcome]
    access: AccessRecorder
    readiness: ReadinessProbe
    intake_limiter: AddressLimiter
    refused_limiter: AddressLimiter
    key_locks: KeyLocks = field(default_factory=KeyLocks)
    # The last check of the clinic's state; `None` if the clinic took no requests.
    open_intake: OpenIntake | None = None


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime
