"""The audit: its events, which are only appended, and the secret of their hashes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.values import JSONColumn, Output

Details = dict[str, str | int | bool]


class Action(StrEnum):
    """The recorded action."""

    TOKEN_CREATED = "token.created"  # noqa: S105 (a name)
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 (a name)
    TOKEN_USED = "token.used"  # noqa: S105 (a name)
    TOKEN_FORBIDDEN = "token.forbidden"  # noqa: S105 (a name)
    TOKENS_REFUSED = "tokens.refused"
    REQUEST_READ = "request.read"
    REQUEST_CHANGED = "request.changed"
    REQUEST_NOTED = "request.noted"
    REQUEST_ERASED = "request.erased"
    REQUEST_WITHDRAWN = "request.withdrawn"
    REQUESTS_CLOSED_OUT = "requests.closed_out"
    REQUESTS_EXPORTED = "requests.exported"
    REQUESTS_PURGED = "requests.purged"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_ENDED = "webhook.ended"
    DELIVERY_REPLAYED = "delivery.replayed"
    KEY_ADDED = "key.added"
    KEY_IMPORTED = "key.imported"
    KEY_ROTATED = "key.rotated"
    KEY_RETIRED = "key.retired"
    DOCUMENT_CREATED = "document.created"
    DOCUMENT_SAVED = "document.saved"
    DOCUMENT_PUBLISHED = "document.published"
    DOCUMENT_WITHDRAWN = "document.withdrawn"
    DOCUMENT_CALLED_OFF = "document.called_off"
    DOCUMENT_BLANKED = "document.blanked"
    STATUS_CHANGED = "status.changed"
    STATUS_CALLED_OFF = "status.called_off"
    CONTENT_PUSHED = "content.pushed"


# Actors without a token. `NOBODY` is a caller whose token is not known.
COMMAND_LINE = "command-line"
SERVICE = "service"
SUBMITTER = "submitter"
NOBODY = "unknown"


def listed(values: Iterable[str]) -> str:
    """Several values as one text, because several code generators fail on a union with an array."""
    return ", ".join(values)


def _without_lists(details: Mapping[str, object]) -> dict[str, object]:
    # Events of earlier versions contain lists.
    return {
        name: listed(value) if isinstance(value, list) else value for name, value in details.items()
    }


class AuditEvent(SQLModel, table=True):
    """One event, without personal data of patients. Triggers refuse its change and deletion."""

    __tablename__ = "audit_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    actor: str = Field(max_length=16)
    action: str
    subject: str | None = Field(index=True)
    details: Details = Field(sa_type=JSONColumn)
    # HMAC-SHA256 over the previous hash and this event; `None` for events older than the chain.
    hash: bytes | None = None


class AuditSecret(SQLModel, table=True):
    """The sealed secret of the audit's hash chain. The table has only one row."""

    __tablename__ = "audit_secret"

    id: str = Field(primary_key=True)
    sealed: bytes


class AuditEnd(BaseModel):
    """The newest event when a backup was made, for its manifest. `hash` is in hexadecimal."""

    id: int
    hash: str | None

    @classmethod
    def of(cls, event_id: int, event_hash: bytes | None) -> "AuditEnd":
        return cls(id=event_id, hash=None if event_hash is None else event_hash.hex())


class AuditEventPublic(Output):
    """One event."""

    id: int = Described(description="Number of the event, in the order of the events.")
    at: datetime = Described(description="When it happened.")
    actor: str = Described(
        description="Id of the token that acted; or `command-line`, `service`, `submitter` (the "
        "person who sent the request), `unknown`."
    )
    action: Action = Described(description="The recorded action.")
    subject: str | None = Described(
        description="Id of the request, token, webhook, delivery, key or status change, or the "
        "kind, slug and locale of the document with slashes between them; `null` for none."
    )
    details: Annotated[Details, BeforeValidator(_without_lists)] = Described(
        description="Details of the action. Several values are one text with commas. They never "
        "contain anything that a patient typed, and no words of a document."
    )


class AuditEventList(Listing[AuditEventPublic]):
    """A page of events, the newest first."""
