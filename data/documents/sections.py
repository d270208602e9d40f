"""The published sections."""

from typing import Literal

from sqlmodel import Session

from data.documents.effective import PublishedText
from data.documents.texts import Text, TextContext, body_of, find_context, read_texts
from data.paging import Cursor, Page
from models.document import Kind
from models.publication import Moved, Withdrawn
from models.section import (
    CallToActionPublic,
    ImagePublic,
    ReferencePublic,
    ReviewPublic,
    SectionContent,
    SectionPublic,
)


def list_sections(
    session: Session, *, limit: int | None = None, after: Cursor | None = None
) -> Page[SectionPublic]:
    """Published sections in their order; all of them without a `limit`."""
    context = find_context(session)
    page = read_texts(context.sections, limit=limit, after=after)
    return page.with_items([publish_section(text, context) for text in page.items])


def find_section(session: Session, *, slug: str) -> SectionPublic | Moved | Withdrawn | None:
    """`None` for an unknown slug, and for a text that is not shown in the clinic's state."""
    context = find_context(session)
    found = context.published.find(Kind.SECTION, slug)
    match found:
        case PublishedText(content=SectionContent() as content) if context.shows(content):
            return publish_section((slug, found, content), context)
        case PublishedText():
            return None
    return found


def publish_section(text: Text[SectionContent], context: TextContext) -> SectionPublic:
    slug, document, content = text
    status = context.status
    return SectionPublic(
        slug=slug,
        title=content.title,
        summary=content.summary,
        position=content.position,
        body=body_of(content.markdown_for(status)),
        image=ImagePublic.model_validate(content.image) if content.image else None,
        notices=context.notices_for(content.notices),
        references=[ReferencePublic.model_validate(r) for r in content.references],
        call_to_action=CallToActionPublic(
            label=content.call_to_action.label,
            enabled=status.accepting,
            disabled_reason=None if status.accepting else status.reason,
        )
        if content.call_to_action
        else None,
        review=ReviewPublic(
            status=_review_status(document, context),
            last_reviewed_on=document.days.reviewed_on,
            next_review_due_on=document.days.next_review_due_on,
        ),
        faqs=context.faqs_by_section.get(slug, []),
        clinic_state=status.state,
        locale=document.key.locale,
        version=document.number,
        published_at=context.published_at(text),
        updated_at=context.updated_at(text),
    )


def _review_status(
    document: PublishedText, context: TextContext
) -> Literal["unknown", "current", "overdue"]:
    if document.days.reviewed_on is None:
        return "unknown"
    due = document.days.next_review_due_on
    return "overdue" if due and due < context.today else "current"
