"""The staff page: static files whose scripts call the staff endpoints."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from api.cache.policy import PublicRoute
from api.problems.catalogue import NotFound

router = APIRouter(prefix="/staff", route_class=PublicRoute, include_in_schema=False)

_FOLDER = Path(__file__).parent / "assets" / "staff"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
# The browser runs only the page's own scripts, and connects only to this service. So a text that a
# patient typed cannot run as a script or send data to another host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


@router.get("")
async def read_staff_page() -> Response:
    """The HTML page."""
    headers = {"Content-Security-Policy": _POLICY}
    return Response(_file("index.html"), media_type="text/html; charset=utf-8", headers=headers)


@router.get("/{name}")
async def read_staff_page_asset(name: str) -> Response:
    """A script or style of the page."""
    media_type = _assets().get(name)
    if media_type is None:
        raise NotFound
    return Response(_file(name), media_type=media_type)


@cache
def _assets() -> dict[str, str]:
    files = _FOLDER.iterdir()
    return {f.name: _MEDIA_TYPES[f.suffix] for f in files if f.suffix in _MEDIA_TYPES}


@cache
def _file(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
