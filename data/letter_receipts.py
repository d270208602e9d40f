"""Receipt tokens for the links in patients' letters: sealed, and kept until the letter is out.

The request itself has only a token's hash, so the outbox holds the token until then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from data.crypto import Keyring
from models.delivery import Channel, Delivery


@dataclass(frozen=True)
class ReceiptTokens:
    """The tokens of requests that are being stored, by the request's id."""

    by_request: Mapping[str, str] = field(repr=False)
    keyring: Keyring

    def seal_into(self, deliveries: Iterable[dict[str, Any]]) -> None:
        """Gives each letter to a patient its request's token."""
        for row in deliveries:
            if row["channel"] == Channel.SUBMITTER_EMAIL:
                token = self.by_request[row["subject"]].encode()
                row["sealed_receipt"] = self.keyring.seal(
                    token, location=receipt_location(row["id"])
                )


def open_receipt(delivery: Delivery, *, keyring: Keyring) -> str | None:
    """The token, `None` after the letter was delivered."""
    if delivery.sealed_receipt is None:
        return None
    return keyring.unseal(delivery.sealed_receipt, location=receipt_location(delivery.id)).decode()


def forget_receipts(session: Session, *, request_id: str) -> None:
    session.connection().execute(
        update(Delivery)
        .where(col(Delivery.subject) == request_id, col(Delivery.sealed_receipt).is_not(None))
        .values(sealed_receipt=None)
    )


def receipt_location(delivery_id: str) -> str:
    return f"delivery.sealed_receipt:{delivery_id}"
