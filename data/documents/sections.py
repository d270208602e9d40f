"""Sections in the database."""

from collections.abc import Mapping
from typing import Literal

from sqlmodel import Session, col, select

from data.documents.publications import find_current_slug
from data.documents.texts import TextContext, body_of, find_context, is_published
from data.paging import Cursor, Order, Page, read_page
from models.faq import FAQ
from models.publication import Kind, Moved, Withdrawn
from models.section import (
    CallToActionPublic,
    ImagePublic,
    ReferencePublic,
    ReviewPublic,
    Section,
    SectionPublic,
)

_ORDER = Order(Section.position)


def list_sections(
    session: Session, *, limit: int | None = None, after: Cursor | None = None
) -> Page[SectionPublic]:
    """Published sections in their order; all of them without a `limit`."""
    context = find_context(session)
    published = is_published(Section, context)
    page = read_page(session, Section, wanted=[published], order=_ORDER, limit=limit, after=after)
    faqs = _faq_slugs(session, context, [row.slug for row in page.items])
    return page.with_items([_publish(row, context, faqs) for row in page.items])


def find_section(session: Session, *, slug: str) -> SectionPublic | Moved | Withdrawn | None:
    """`Moved` for a former slug, `Withdrawn` for a withdrawn text, `None` for an unknown slug."""
    section = session.exec(select(Section).where(Section.slug == slug)).first()
    if section is None:
        current = find_current_slug(session, kind=Kind.SECTION, slug=slug)
        return Moved(current) if current else None
    context = find_context(session)
    if section.withdrawn_on and section.withdrawn_on <= context.today:
        return Withdrawn()
    return _publish(section, context, _faq_slugs(session, context, [slug]))


def _faq_slugs(
    session: Session, context: TextContext, sections: list[str]
) -> Mapping[str, list[str]]:
    slugs: dict[str, list[str]] = {section: [] for section in sections}
    rows = session.exec(
        select(FAQ.slug, FAQ.section)
        .where(col(FAQ.section).in_(sections))
        .where(is_published(FAQ, context))
        .order_by(col(FAQ.position))
    )
    for slug, section in rows:
        slugs[section or ""].append(slug)
    return slugs


def _publish(
    section: Section, context: TextContext, faqs: Mapping[str, list[str]]
) -> SectionPublic:
    status = context.status
    return SectionPublic(
        slug=section.slug,
        title=section.title,
        summary=section.summary,
        position=section.position,
        body=body_of(section.markdown),
        image=ImagePublic.model_validate(section.image) if section.image else None,
        notices=context.notices_for(section.notices),
        references=[ReferencePublic.model_validate(r) for r in section.references],
        call_to_action=CallToActionPublic(
            label=section.call_to_action["label"],
            enabled=status.accepting,
            disabled_reason=None if status.accepting else status.reason,
        )
        if section.call_to_action
        else None,
        review=ReviewPublic(
            status=_review_status(section, context),
            last_reviewed_on=section.last_reviewed_on,
            next_review_due_on=section.next_review_due_on,
        ),
        faqs=faqs[section.slug],
        clinic_state=status.state,
        locale=context.locale,
        version=section.version,
        published_at=section.published_at,
        updated_at=section.updated_at,
    )


def _review_status(
    section: Section, context: TextContext
) -> Literal["unknown", "current", "overdue"]:
    if section.last_reviewed_on is None:
        return "unknown"
    due = section.next_review_due_on
    return "overdue" if due and due < context.today else "current"
