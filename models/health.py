"""Whether the service is able to do its work."""

from enum import StrEnum
from typing import Literal

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.values import Output


class HealthProbe(SQLModel, table=True):
    """What the last probe wrote; the next one writes over it."""

    __tablename__ = "health_probe"

    id: int | None = Field(default=None, primary_key=True)
    payload: bytes


class Liveness(Output):
    """The process answers."""

    status: Literal["alive"] = Described(description="Always `alive`.")


class CheckStatus(StrEnum):
    """What a check found."""

    OK = "ok"
    FAILED = "failed"


class CheckPublic(Output):
    """One thing that the service needs, or that an operator wants to know of."""

    name: str = Described(description="`database`, `content`, `keys`, `mail` or `deliveries`.")
    status: CheckStatus = Described(description="`ok` or `failed`.")
    detail: str = Described(description="What was found, in a sentence for an operator.")


class Readiness(Output):
    """Whether the service can do its work, and what was looked at to tell."""

    status: Literal["ready", "unavailable"] = Described(
        description="`ready` with 200: a request would be accepted and kept. `unavailable` with "
        "503. `mail` and `deliveries` say more, and alone leave it `ready`."
    )
    checks: list[CheckPublic] = Described(description="Each check, always in the same order.")
