"""Sections in the database."""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from data.documents.publications import find_current_slug
from data.documents.texts import Surroundings, body_of, find_surroundings, is_published
from models.faq import FAQ
from models.listing import Page
from models.publication import Moved, Withdrawn
from models.section import (
    CallToActionPublic,
    ImagePublic,
    ReferencePublic,
    ReviewPublic,
    Section,
    SectionPublic,
)

KIND = "section"


def list_sections(
    session: Session, *, limit: int | None = None, after: int | None = None
) -> Page[SectionPublic]:
    """Published sections in their order; all of them without a `limit`."""
    around = find_surroundings(session)
    published = is_published(Section, around)
    total = session.exec(select(func.count()).select_from(Section).where(published)).one()
    query = select(Section).where(published).order_by(col(Section.position))
    if after is not None:
        query = query.where(col(Section.position) > after)
    if limit is not None:
        query = query.limit(limit + 1)
    rows = list(session.exec(query))
    shown = rows[:limit]
    faqs = _faq_slugs(session, around, [row.slug for row in shown])
    return Page(
        items=[_publish(row, around, faqs) for row in shown],
        total=total,
        last_key=shown[-1].position if len(rows) > len(shown) else None,
    )


def find_section(session: Session, *, slug: str) -> SectionPublic | Moved | Withdrawn | None:
    """`Moved` for a former slug, `Withdrawn` for a withdrawn text, `None` for an unknown slug."""
    section = session.exec(select(Section).where(Section.slug == slug)).first()
    if section is None:
        current = find_current_slug(session, kind=KIND, slug=slug)
        return Moved(current) if current else None
    around = find_surroundings(session)
    if section.withdrawn_on and section.withdrawn_on <= around.today:
        return Withdrawn()
    return _publish(section, around, _faq_slugs(session, around, [slug]))


def _faq_slugs(
    session: Session, around: Surroundings, sections: list[str]
) -> Mapping[str, list[str]]:
    slugs: dict[str, list[str]] = {section: [] for section in sections}
    rows = session.exec(
        select(FAQ.slug, FAQ.section)
        .where(col(FAQ.section).in_(sections))
        .where(is_published(FAQ, around))
        .order_by(col(FAQ.position))
    )
    for slug, section in rows:
        slugs[section or ""].append(slug)
    return slugs


def _publish(
    section: Section, around: Surroundings, faqs: Mapping[str, list[str]]
) -> SectionPublic:
    status = around.status
    return SectionPublic(
        slug=section.slug,
        title=section.title,
        summary=section.summary,
        position=section.position,
        body=body_of(section.markdown),
        image=ImagePublic.model_validate(section.image) if section.image else None,
        notices=around.notices_for(section.notices),
        references=[ReferencePublic.model_validate(r) for r in section.references],
        call_to_action=CallToActionPublic(
            label=section.call_to_action["label"],
            enabled=status.accepting,
            disabled_reason=None if status.accepting else status.reason,
        )
        if section.call_to_action
        else None,
        review=ReviewPublic(
            status=_review_status(section, around),
            last_reviewed_on=section.last_reviewed_on,
            next_review_due_on=section.next_review_due_on,
        ),
        faqs=faqs[section.slug],
        clinic_state=status.state,
        locale=around.locale,
        version=section.version,
        published_at=section.published_at,
        updated_at=section.updated_at,
    )


def _review_status(
    section: Section, around: Surroundings
) -> Literal["unknown", "current", "overdue"]:
    if section.last_reviewed_on is None:
        return "unknown"
    due = section.next_review_due_on
    return "overdue" if due and due < around.today else "current"
