"""The texts for each state of the clinic, and contacts for other help."""

from pydantic import model_validator
from sqlmodel import Field, SQLModel

from models.values import ClinicState, Day, Input, Instant, JSONColumn, Text, WebAddress


class StatusText(Input):
    headline: Text
    message: Text


class Closure(Input):
    """Where the records of a closed clinic are. A field is `None` if it is not known."""

    records_contact: str | None
    records_url: WebAddress | None
    note: str | None


class Alternative(Input):
    name: Text
    url: WebAddress | None
    note: str | None


class SafetyResource(Input):
    name: Text
    contact: Text
    note: str | None


class InitialStatus(Input):
    state: ClinicState
    effective_from: Instant | None = None
    reopens_on: Day | None = None


class StatusContentCreate(Input):
    """The content file of the clinic's status."""

    initial: InitialStatus
    texts: dict[ClinicState, StatusText]
    closure: Closure
    alternatives: list[Alternative]
    safety_resources: list[SafetyResource]

    @model_validator(mode="after")
    def _check_texts(self) -> "StatusContentCreate":
        if set(self.texts) != set(ClinicState):
            raise ValueError("texts: one headline and message for each of the three states")
        return self


class StatusContent(SQLModel, table=True):
    """The row with the texts for the clinic's states; the table has only this one."""

    __tablename__ = "status_content"

    id: int = Field(default=1, primary_key=True)
    texts: dict[str, dict[str, str]] = Field(sa_type=JSONColumn)
    closure: dict[str, str | None] = Field(sa_type=JSONColumn)
    alternatives: list[dict[str, str | None]] = Field(sa_type=JSONColumn)
    safety_resources: list[dict[str, str | None]] = Field(sa_type=JSONColumn)
