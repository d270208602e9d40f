"""Staff tokens in the database."""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from data.audit import record_event
from data.status import find_status
from models.audit import Action, listed
from models.listing import Page
from models.staff_token import (
    DEFAULT_DAYS,
    StaffToken,
    StaffTokenCreate,
    StaffTokenIssued,
    StaffTokenPublic,
)
from models.values import utc_now

# So that a token that leaked can be found by a scanner, and told from a receipt's.
_PREFIX = "clinic"
_ID_BYTES = 6
_SECRET_BYTES = 32
_TOKEN = re.compile("clinic_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_USE_NOTED_EVERY = timedelta(minutes=1)


def create_token(session: Session, *, token: StaffTokenCreate, actor: str) -> StaffTokenIssued:
    now = utc_now()
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row = StaffToken(
        id=secrets.token_hex(_ID_BYTES),
        owner=token.owner,
        scopes=[str(scope) for scope in token.scopes],
        secret_hash=_hash(secret),
        created_at=now,
        expires_at=now + timedelta(days=token.expires_in_days or DEFAULT_DAYS),
        revoked_at=None,
        last_used_at=None,
    )
    session.add(row)
    record_event(
        session,
        actor=actor,
        action=Action.TOKEN_CREATED,
        subject=row.id,
        details={"scopes": listed(row.scopes)},
    )
    session.flush()
    public = StaffTokenPublic.model_validate(row)
    return StaffTokenIssued(**public.model_dump(), token=f"{_PREFIX}_{row.id}_{secret}")


def find_token(session: Session, *, token: str) -> StaffToken | None:
    """The token, if it is good now; one look-up whatever is wrong with it."""
    parts = _TOKEN.fullmatch(token)
    row = session.get(StaffToken, parts[1] if parts else "")
    expected = row.secret_hash if row else bytes(hashlib.sha256().digest_size)
    matches = hmac.compare_digest(expected, _hash(parts[2] if parts else ""))
    if row is None or not matches or row.revoked_at or row.expires_at <= utc_now():
        return None
    return row


def is_use_due(row: StaffToken) -> bool:
    """Whether the token's use is worth writing down again."""
    return row.last_used_at is None or row.last_used_at < utc_now() - _USE_NOTED_EVERY


def note_use(session: Session, *, token_id: str) -> None:
    session.connection().execute(
        update(StaffToken).where(col(StaffToken.id) == token_id).values(last_used_at=utc_now())
    )


def revoke_token(session: Session, *, token_id: str, actor: str) -> StaffToken | None:
    """From its commit on the token is refused, by every process."""
    row = session.get(StaffToken, token_id)
    if row is not None and row.revoked_at is None:
        row.revoked_at = utc_now()
        session.add(row)
        record_event(session, actor=actor, action=Action.TOKEN_REVOKED, subject=row.id)
        session.flush()
    return row


def list_tokens(
    session: Session, *, limit: int, after: int | None = None
) -> Page[StaffTokenPublic]:
    """All that were ever made, the newest first; `after` is how many were seen."""
    total = session.exec(select(func.count()).select_from(StaffToken)).one()
    rows = session.exec(
        select(StaffToken)
        .order_by(col(StaffToken.created_at).desc(), col(StaffToken.id))
        .offset(after or 0)
        .limit(limit + 1)
    ).all()
    return Page(
        items=[StaffTokenPublic.model_validate(row) for row in rows[:limit]],
        total=total,
        last_key=(after or 0) + limit if len(rows) > limit else None,
        clinic_state=find_status(session).state,
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
