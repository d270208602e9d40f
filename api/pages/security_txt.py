"""security.txt: the contact for reporting security problems of this service (RFC 9116)."""

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.dependencies import SettingsDep
from api.problems.catalogue import NotFound
from models.values import utc_now

_PATH = "/.well-known/security.txt"
# RFC 9116, section 2.5.5, recommends less than a year.
_VALIDITY = timedelta(days=180)

router = APIRouter(include_in_schema=False)


@router.get(_PATH)
async def read_security_contact(settings: SettingsDep) -> PlainTextResponse:
    """The contact in the settings, with an expiry date. 404 without a contact."""
    if settings.security_contact is None:
        raise NotFound
    # Midnight, so that the file stays the same all day and can be cached for a day.
    expires = f"{utc_now() + _VALIDITY:%Y-%m-%d}T00:00:00Z"
    lines = [f"Contact: {settings.security_contact}", f"Expires: {expires}"]
    if settings.public_url:
        lines.append(f"Canonical: {settings.public_url.rstrip('/')}{_PATH}")
    headers = {"Cache-Control": "public, max-age=86400"}
    return PlainTextResponse("\n".join([*lines, ""]), headers=headers)
