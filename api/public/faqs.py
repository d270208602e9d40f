"""Frequently asked questions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import paths
from api.cache.policy import PublicRoute
from api.dependencies import SessionDep
from api.http.cursors import CursorQuery
from api.http.queries import FlagQuery, LimitQuery, SlugQuery, invalid_query, list_meta
from api.problems.catalogue import Gone, NotFound
from api.problems.document import responses
from api.public.texts import SlugPath, moved_response, respond_or_raise
from data.documents import faqs
from models.clinic import TopicPublic
from models.faq import FAQList, FAQListMeta, FAQPublic

router = APIRouter(prefix=paths.FAQS, tags=["Content"], route_class=PublicRoute)


@router.get("")
def list_faqs(
    session: SessionDep,
    request: Request,
    response: Response,
    topic: Annotated[SlugQuery, Query(description="Only FAQs with this topic.")] = None,
    section: Annotated[SlugQuery, Query(description="Only FAQs of this section.")] = None,
    answered: Annotated[
        FlagQuery,
        Query(description="`true`: only answered FAQs. `false`: only FAQs without an answer."),
    ] = None,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> FAQList:
    """Questions and answers, in their order."""
    try:
        page = faqs.list_faqs(
            session, topic=topic, section=section, answered=answered, limit=limit, after=cursor
        )
    except faqs.UnknownTopic:
        raise invalid_query(("topic", "invalid")) from None
    except faqs.UnknownSection:
        raise invalid_query(("section", "invalid")) from None
    meta = list_meta(session, page, request, response)
    topics = [TopicPublic.model_validate(topic) for topic in faqs.list_topics(session)]
    return FAQList(data=list(page.items), meta=FAQListMeta(**meta.model_dump(), topics=topics))


@router.get(
    "/{slug}",
    response_model=FAQPublic,
    responses={**moved_response("FAQ"), **responses(NotFound, Gone)},
)
def read_faq(session: SessionDep, slug: SlugPath) -> FAQPublic | Response:
    """One question, with the answer for the clinic's current state."""
    return respond_or_raise(faqs.find_faq(session, slug=slug), path=paths.FAQS)
