"""The pages for developers: the OpenAPI document, its page, and a page for each problem.

They load no script, style or image from another host.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as FromPath
from fastapi.responses import HTMLResponse, JSONResponse

from api import paths
from api.cache.policy import PublicRoute
from api.problems.catalogue import ALL, NotFound
from api.problems.document import responses
from models.markdown import render

router = APIRouter(tags=["Documentation"], route_class=PublicRoute)

_ASSETS = Path(__file__).parent / "assets"
_PROBLEM = Template((_ASSETS / "problem.html").read_text(encoding="utf-8"))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_OWN = {"start.js": "text/javascript", "docs.css": "text/css", "problem.css": "text/css"}
_SWAGGER = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}


@router.get(paths.DOCUMENTATION, include_in_schema=False)
async def read_documentation() -> HTMLResponse:
    """A page that shows the OpenAPI document, with Swagger UI."""
    html = (_ASSETS / "docs.html").read_text(encoding="utf-8")
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})


@router.get(f"{paths.DOCUMENTATION}/{{name}}", include_in_schema=False)
async def read_documentation_asset(name: str) -> Response:
    """A script, style or image of the pages."""
    media_type = _OWN.get(name) or _SWAGGER.get(name)
    if media_type is None:
        raise NotFound
    return Response(_asset(name), media_type=media_type)


@router.get(paths.OPENAPI, include_in_schema=False)
async def read_openapi(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/problems/{slug}", response_class=HTMLResponse, responses=responses(NotFound))
async def read_problem(
    slug: Annotated[str, FromPath(description="The last segment of the problem's `type`.")],
) -> HTMLResponse:
    """A page that explains the `type` of a problem."""
    problem = ALL.get(slug)
    if problem is None:
        raise NotFound
    html = _PROBLEM.substitute(
        slug=slug,
        status=problem.status,
        title=problem.title,
        about=render(problem.about).html,
        detail=problem.detail,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})


@cache
def _asset(name: str) -> bytes:
    if name in _OWN:
        return (_ASSETS / name).read_bytes()
    return resources.files("fastapi_swagger").joinpath("resources", name).read_bytes()
