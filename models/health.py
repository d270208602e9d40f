"""The health of the service."""

from enum import StrEnum
from typing import Literal

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.values import Output


class HealthProbe(SQLModel, table=True):
    """A row that the readiness check writes to test the database. The next check overwrites it."""

    __tablename__ = "health_probe"

    id: int | None = Field(default=None, primary_key=True)
    payload: bytes


class Liveness(Output):
    """The process is alive."""

    status: Literal["alive"] = Described(description="Always `alive`.")


class CheckStatus(StrEnum):
    """Result of a check."""

    OK = "ok"
    FAILED = "failed"


class CheckPublic(Output):
    """A check of something that the service needs, or that an operator must know."""

    name: str = Described(description="`database`, `content`, `keys`, `mail` or `deliveries`.")
    status: CheckStatus = Described(description="`ok` or `failed`.")
    detail: str = Described(description="The result, in a sentence for an operator.")


class Readiness(Output):
    """Whether the service can do its work, and the result of each check."""

    status: Literal["ready", "unavailable"] = Described(
        description="`ready` with 200: a consultation request would be stored. `unavailable` with "
        "503. If only the checks `mail` and `deliveries` fail, the status stays `ready`."
    )
    checks: list[CheckPublic] = Described(description="All checks, always in the same order.")
