"""Limits how many letters a mailbox gets in a day, over all processes.

Without the limit, a stranger could fill a mailbox by sending requests with its address. A letter
still counts after its request is withdrawn or erased: otherwise a withdrawal would reset the limit.
"""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from data.crypto import Keyring
from data.database import take_lock
from models.email_address import mailbox_of, parse_email_address
from models.sent_letter import SentLetter
from models.values import utc_now

_DAY = timedelta(days=1)


def record_letter(session: Session, *, recipient: str, keyring: Keyring, limit: int) -> bool:
    """Counts a letter before it is sent; `False` if the mailbox got `limit` letters in 24 hours."""
    address = parse_email_address(recipient, may_be_test=True)
    if address is None:
        # No letter can be sent to an invalid address, so there is nothing to count.
        return True
    take_lock(session.connection(), b"letters")
    digests = keyring.digests("mailbox", mailbox_of(address).encode())
    sent = session.exec(
        select(func.count())
        .select_from(SentLetter)
        .where(col(SentLetter.mailbox_digest).in_(digests))
        .where(col(SentLetter.sent_at) > utc_now() - _DAY)
    ).one()
    if sent >= limit:
        return False
    session.add(SentLetter(mailbox_digest=digests[0], sent_at=utc_now()))
    session.flush()
    return True


def old_letters() -> SelectOfScalar[bytes]:
    """Selects the letters that no longer count."""
    return select(SentLetter.mailbox_digest).where(col(SentLetter.sent_at) <= utc_now() - _DAY)


def forget_old_letters(session: Session) -> None:
    session.connection().execute(
        delete(SentLetter).where(col(SentLetter.sent_at) <= utc_now() - _DAY)
    )
