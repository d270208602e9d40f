"""The objects that a running process shares between its requests."""

from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy import Engine

from api.access import AccessRecorder
from api.http.rates import AddressLimiter
from api.intake.key_locks import KeyLocks
from api.public.readiness import ReadinessProbe
from data.intake.requests import NewRequest
from data.intake.store import Outcome
from data.live_keyring import LiveKeyring
from data.write_queue import BatchWriter, WriteQueue
from models.consultation_form import ConsultationFormCreate
from models.settings import Settings


@dataclass(frozen=True)
class OpenIntake:
    """That the clinic takes requests, and its form, as both were read in one epoch of the cache."""

    epoch: int
    form: ConsultationFormCreate


@dataclass
class Runtime:
    """Made when the application starts, and the same for every request."""

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
    # What the last check of the clinic's state found, if the clinic took requests.
    open_intake: OpenIntake | None = None


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime
