"""Staff tokens in the database."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.paging import Cursor, Order, Page, read_page
from models.audit import COMMAND_LINE, Action, Details, listed
from models.staff_token import (
    DEFAULT_DAYS,
    StaffToken,
    StaffTokenCreate,
    StaffTokenIssued,
    StaffTokenPublic,
)
from models.values import utc_now

# A scanner for leaked secrets finds this prefix. A receipt token does not have it.
_PREFIX = "clinic"
_ID_BYTES = 6
_SECRET_BYTES = 32
_TOKEN = re.compile("clinic_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_USE_RECORDED_EVERY = timedelta(minutes=1)
_ORDER = Order(StaffToken.created_at, StaffToken.id, descending=True)


class MakerInvalid(Exception):
    """The token that makes the new token was revoked, or has expired."""


class ExceedsMaker(Exception):
    """The new token would have more scopes or a later end than the token that makes it."""

    def __init__(self, *, by_scopes: bool, by_days: bool) -> None:
        super().__init__()
        self.by_scopes, self.by_days = by_scopes, by_days


@dataclass(frozen=True)
class Revocation:
    """A revoked token, and how many of the tokens that it made were revoked with it."""

    token: StaffToken
    others: int


def create_token(
    session: Session, *, token: StaffTokenCreate, maker_id: str | None
) -> StaffTokenIssued:
    """Makes a token. Its maker is another token, or `None` for the command line.

    Raises `MakerInvalid` or `ExceedsMaker`; the command line has no limits.
    """
    now = utc_now()
    expires_at = now + timedelta(days=token.expires_in_days or DEFAULT_DAYS)
    if maker_id is not None:
        maker = _lock_maker(session, token, maker_id, now)
        expires_at = min(expires_at, maker.expires_at)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row = StaffToken(
        id=secrets.token_hex(_ID_BYTES),
        owner=token.owner,
        scopes=[str(scope) for scope in token.scopes],
        secret_hash=_hash(secret),
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
        made_by=maker_id,
    )
    session.add(row)
    record_event(
        session,
        actor=maker_id or COMMAND_LINE,
        action=Action.TOKEN_CREATED,
        subject=row.id,
        details={"scopes": listed(row.scopes)},
    )
    session.flush()
    public = StaffTokenPublic.model_validate(row)
    return StaffTokenIssued(**public.model_dump(), token=f"{_PREFIX}_{row.id}_{secret}")


def _lock_maker(
    session: Session, token: StaffTokenCreate, maker_id: str, now: datetime
) -> StaffToken:
    # Locked until the commit, so that a revocation of the maker includes the new token.
    maker = _lock_token(session, maker_id)
    if maker is None or not _is_valid(maker):
        raise MakerInvalid
    by_scopes = not set(token.scopes) <= set(maker.scopes)
    # The maker's last, partial day counts as a day; the new token then expires with the maker.
    days_before_last = timedelta(days=(token.expires_in_days or 1) - 1)
    by_days = days_before_last >= maker.expires_at - now
    if by_scopes or by_days:
        raise ExceedsMaker(by_scopes=by_scopes, by_days=by_days)
    return maker


def find_token(session: Session, *, token: str) -> StaffToken | None:
    """The token, if it is valid now.

    Makes one query and one comparison for every input, so that the time shows nothing about it.
    """
    parts = _TOKEN.fullmatch(token)
    row = session.get(StaffToken, parts[1] if parts else "")
    expected = row.secret_hash if row else bytes(hashlib.sha256().digest_size)
    matches = hmac.compare_digest(expected, _hash(parts[2] if parts else ""))
    return row if row is not None and matches and _is_valid(row) else None


def is_use_due(row: StaffToken) -> bool:
    """Whether to record a use: the last record is a minute old, or from an earlier day (UTC)."""
    now = utc_now()
    since = max(now - _USE_RECORDED_EVERY, _beginning_of_day(now))
    return row.last_used_at is None or row.last_used_at < since


def record_uses(session: Session, *, token_ids: Collection[str]) -> None:
    """Records that these tokens are used now. The first use in a day also makes an audit event."""
    now = utc_now()
    # Does not wait for a token that another transaction has locked: its next use is recorded.
    rows = session.exec(
        select(StaffToken)
        .where(col(StaffToken.id).in_(token_ids))
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        if row.last_used_at is None or row.last_used_at < _beginning_of_day(now):
            record_event(session, actor=row.id, action=Action.TOKEN_USED, subject=row.id)
        row.last_used_at = now
    session.flush()


def revoke_token(session: Session, *, token_id: str, actor: str) -> Revocation | None:
    """Revokes a token and all tokens that it made, directly or indirectly.

    Every process refuses them from the commit on. Returns `None` for an unknown id.
    """
    token = _lock_token(session, token_id)
    if token is None:
        return None
    now, others = utc_now(), 0
    level: Sequence[StaffToken] = [token]
    while level:
        for row in level:
            if row.revoked_at is None:
                row.revoked_at = now
                others += row is not token
                details: Details = {} if row is token else {"made_by": row.made_by or ""}
                record_event(
                    session,
                    actor=actor,
                    action=Action.TOKEN_REVOKED,
                    subject=row.id,
                    details=details,
                )
        level = session.exec(
            select(StaffToken)
            .where(col(StaffToken.made_by).in_([row.id for row in level]))
            .order_by(col(StaffToken.id))
            .with_for_update()
        ).all()
    session.flush()
    return Revocation(token, others)


def list_tokens(
    session: Session, *, limit: int, after: Cursor | None = None
) -> Page[StaffTokenPublic]:
    """A page of all tokens, also revoked and expired ones; the newest first."""
    page = read_page(session, StaffToken, order=_ORDER, limit=limit, after=after)
    return page.with_items([StaffTokenPublic.model_validate(row) for row in page.items])


def _lock_token(session: Session, token_id: str) -> StaffToken | None:
    """The token, locked against changes until the transaction ends."""
    return session.get(StaffToken, token_id, with_for_update=True, populate_existing=True)


def _is_valid(row: StaffToken) -> bool:
    return row.revoked_at is None and row.expires_at > utc_now()


def _beginning_of_day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
