"""Frequently asked questions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import paths
from api.cache.policy import PublicRoute
from api.dependencies import SessionDep
from api.http.cursors import CursorQuery
from api.http.queries import FlagQuery, LimitQuery, SlugQuery, list_meta, query_faults
from api.problems.catalogue import Gone, NotFound
from api.problems.document import responses
from api.public.texts import SlugPath, found, moved_response
from data.documents import faqs
from models.faq import FAQList, FAQPublic

router = APIRouter(prefix=paths.FAQS, tags=["Content"], route_class=PublicRoute)


@router.get("")
def list_faqs(
    session: SessionDep,
    request: Request,
    response: Response,
    topic: Annotated[SlugQuery, Query(description="Only FAQs with this topic.")] = None,
    section: Annotated[SlugQuery, Query(description="Only FAQs of this section.")] = None,
    answered: Annotated[
        FlagQuery, Query(description="Only FAQs that are answered, or only those that are not.")
    ] = None,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> FAQList:
    """Questions and answers, in their order; those that stay open come last."""
    try:
        page = faqs.list_faqs(
            session, topic=topic, section=section, answered=answered, limit=limit, after=cursor
        )
    except faqs.UnknownTopic:
        raise query_faults(("topic", "invalid")) from None
    except faqs.UnknownSection:
        raise query_faults(("section", "invalid")) from None
    return FAQList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.get(
    "/{slug}",
    response_model=FAQPublic,
    responses={**moved_response("FAQ"), **responses(NotFound, Gone)},
)
def read_faq(session: SessionDep, slug: SlugPath) -> FAQPublic | Response:
    """One question with its answer; the answer that is true in the clinic's state now."""
    return found(faqs.find_faq(session, slug=slug), path=paths.FAQS)
