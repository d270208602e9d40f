"""The published FAQs."""

from sqlmodel import Session

from data.documents.effective import PublishedText
from data.documents.published import find_published
from data.documents.texts import Text, TextContext, body_of, find_context, read_texts
from data.paging import Cursor, Page
from models.clinic import Topic
from models.document import Kind
from models.faq import FAQContent, FAQPublic
from models.publication import Moved, Withdrawn


class UnknownTopic(Exception):
    """The clinic has no such topic."""


class UnknownSection(Exception):
    """No section that is shown has this slug."""


def list_faqs(
    session: Session,
    *,
    topic: str | None = None,
    section: str | None = None,
    answered: bool | None = None,
    limit: int | None = None,
    after: Cursor | None = None,
) -> Page[FAQPublic]:
    """Published FAQs in their order; all of them without a `limit`."""
    context = find_context(session)
    if topic is not None and topic not in {
        topic.slug for topic in context.published.clinic.faq_topics
    }:
        raise UnknownTopic
    if section is not None and section not in context.section_slugs:
        raise UnknownSection
    wanted = [
        text
        for text in context.faqs
        if topic in (None, text[2].topic)
        and section in (None, text[2].section)
        and answered in (None, text[2].answered)
    ]
    page = read_texts(wanted, limit=limit, after=after)
    return page.with_items([publish_faq(text, context) for text in page.items])


def list_topics(session: Session) -> list[Topic]:
    """The topics of FAQs, in their order."""
    return find_published(session).clinic.faq_topics


def find_faq(session: Session, *, slug: str) -> FAQPublic | Moved | Withdrawn | None:
    """`None` for an unknown slug, and for a text that is not shown in the clinic's state."""
    context = find_context(session)
    found = context.published.find(Kind.FAQ, slug)
    match found:
        case PublishedText(content=FAQContent() as content) if context.shows(content):
            return publish_faq((slug, found, content), context)
        case PublishedText():
            return None
    return found


def publish_faq(text: Text[FAQContent], context: TextContext) -> FAQPublic:
    slug, document, content = text
    return FAQPublic(
        slug=slug,
        question=content.question,
        answer=body_of(content.markdown_for(context.status)),
        answered=content.answered,
        topic=content.topic,
        position=content.position,
        section=content.section if content.section in context.section_slugs else None,
        notices=context.notices_for(content.notices),
        depends_on_status=content.depends_on_status,
        clinic_state=context.status.state,
        locale=document.key.locale,
        version=document.number,
        published_at=context.published_at(text),
        updated_at=context.updated_at(text),
    )
