"""The sections of the clinic's content."""

from fastapi import APIRouter, Request, Response

from api import paths
from api.cache.policy import PublicRoute
from api.dependencies import SessionDep
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import Gone, NotFound
from api.problems.document import responses
from api.public.texts import SlugPath, moved_response, respond_or_raise
from data.documents import sections
from models.section import SectionList, SectionPublic

router = APIRouter(prefix=paths.SECTIONS, tags=["Content"], route_class=PublicRoute)


@router.get("")
def list_sections(
    session: SessionDep,
    request: Request,
    response: Response,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> SectionList:
    """The content sections, in their order."""
    page = sections.list_sections(session, limit=limit, after=cursor)
    return SectionList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.get(
    "/{slug}",
    response_model=SectionPublic,
    responses={**moved_response("section"), **responses(NotFound, Gone)},
)
def read_section(session: SessionDep, slug: SlugPath) -> SectionPublic | Response:
    """One content section."""
    return respond_or_raise(sections.find_section(session, slug=slug), path=paths.SECTIONS)
