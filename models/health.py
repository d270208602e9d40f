"""Whether the service is able to do its work."""

from typing import Literal

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.values import Output


class HealthProbe(SQLModel, table=True):
    """Always empty between two probes."""

    __tablename__ = "health_probe"

    id: int | None = Field(default=None, primary_key=True)
    payload: bytes


class Liveness(Output):
    """The process answers."""

    status: Literal["alive"] = Described(description="Always `alive`.")


class Readiness(Output):
    """The service can do its work."""

    status: Literal["ready"] = Described(
        description="The database holds content and can be written to."
    )
    mail: Literal["ok", "failed"] = Described(
        description="`failed` from the first letter that cannot be sent until one goes out again. "
        "The service is ready all the same; the delivery log has the reason."
    )
    dead_deliveries: int = Described(
        description="How many notifications were given up; staff can have them sent again."
    )
