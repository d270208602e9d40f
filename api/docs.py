"""The pages for developers: the OpenAPI page, the document, and what each problem means.

Everything comes from here: no script, style or picture from another host.
"""

from functools import cache
from html import escape
from importlib import resources

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.caching import PublicRoute
from api.problems import ALL, NotFound, responses
from models.service import NAME

router = APIRouter(tags=["Documentation"], route_class=PublicRoute)

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "start.js": "text/javascript",
}
_START = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/favicon-32x32.png">
{head}</head>
<body>
{body}</body>
</html>
"""
_DOCUMENTATION = _PAGE.format(
    title=f"{NAME}: documentation",
    head='<link rel="stylesheet" href="/docs/swagger-ui.css">\n',
    body='<div id="documentation"></div>\n'
    '<script src="/docs/swagger-ui-bundle.js"></script>\n<script src="/docs/start.js"></script>\n',
)


@router.get("/docs", include_in_schema=False)
async def read_documentation() -> HTMLResponse:
    """The OpenAPI document as a page to read and to try."""
    return _page(_DOCUMENTATION)


@router.get("/docs/{name}", include_in_schema=False)
async def read_documentation_asset(name: str) -> Response:
    """What the page is made of."""
    if name not in _ASSETS:
        raise NotFound
    return Response(_asset(name), media_type=_ASSETS[name])


@router.get("/openapi.json", include_in_schema=False)
async def read_openapi(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/problems/{slug}", response_class=HTMLResponse, responses=responses(NotFound))
async def read_problem(slug: str) -> HTMLResponse:
    """What a problem's `type` means, as a page."""
    problem = ALL.get(slug)
    if problem is None:
        raise NotFound
    title, detail, about = (escape(text) for text in (problem.title, problem.detail, problem.about))
    body = (
        f"<main>\n<h1>{title}</h1>\n<p>HTTP status {problem.status}, "
        f"type <code>/problems/{slug}</code>.</p>\n<p>{about}</p>\n"
        f"<p>What a patient may be shown: “{detail}”</p>\n</main>\n"
    )
    return _page(_PAGE.format(title=title, head="", body=body))


def _page(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_POLICY})


@cache
def _asset(name: str) -> bytes:
    if name == "start.js":
        return _START.encode()
    return resources.files("fastapi_swagger").joinpath("resources", name).read_bytes()
