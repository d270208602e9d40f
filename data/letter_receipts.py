"""Receipt tokens for the links in letters to patients.

A request stores only the hash of its token. So the outbox stores the token, sealed, until the
letter is delivered.
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
    """The receipt tokens of the requests that are being stored, by request id."""

    by_request: Mapping[str, str] = field(repr=False)
    keyring: Keyring

    def seal_into(self, deliveries: Iterable[dict[str, Any]]) -> None:
        """Adds the sealed token of its request to each delivery that is a letter to a patient."""
        for row in deliveries:
            if row["channel"] == Channel.SUBMITTER_EMAIL:
                token = self.by_request[row["subject"]].encode()
                row["sealed_receipt"] = self.keyring.seal(
                    token, location=receipt_location(row["id"])
                )


def open_receipt(delivery: Delivery, *, keyring: Keyring) -> str | None:
    """The receipt token; `None` after the letter was delivered. Raises `SealBroken`."""
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
