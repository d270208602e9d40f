"""Where to report a security problem of this service (RFC 9116)."""

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.dependencies import SettingsDep
from api.problems.catalogue import NotFound
from models.values import utc_now

_PATH = "/.well-known/security.txt"
# The RFC recommends less than a year.
_GOOD_FOR = timedelta(days=180)

router = APIRouter(include_in_schema=False)


@router.get(_PATH)
async def read_security_contact(settings: SettingsDep) -> PlainTextResponse:
    """The contact that the operator has set, and until when to believe it."""
    if settings.security_contact is None:
        raise NotFound
    # The same all day, so that it can be kept for a day.
    expires = f"{utc_now() + _GOOD_FOR:%Y-%m-%d}T00:00:00Z"
    lines = [f"Contact: {settings.security_contact}", f"Expires: {expires}"]
    if settings.public_url:
        lines.append(f"Canonical: {settings.public_url.rstrip('/')}{_PATH}")
    headers = {"Cache-Control": "public, max-age=86400"}
    return PlainTextResponse("\n".join([*lines, ""]), headers=headers)
