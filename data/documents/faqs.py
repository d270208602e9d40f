"""FAQs in the database."""

from collections.abc import Collection

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from data.documents.publications import find_current_slug
from data.documents.texts import Surroundings, body_of, find_surroundings, is_published
from data.paging import Cursor, Order, Page, read_page
from models.faq import FAQ, FAQPublic
from models.publication import Kind, Moved, Withdrawn
from models.section import Section

_ORDER = Order(FAQ.position)


class UnknownTopic(Exception):
    """No FAQ has this topic."""


class UnknownSection(Exception):
    """No published section has this slug."""


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
    if topic is not None and not _exists(session, col(FAQ.topic) == topic):
        raise UnknownTopic
    around = find_surroundings(session)
    sections = _published_sections(session, around)
    if section is not None and section not in sections:
        raise UnknownSection
    wanted = [
        is_published(FAQ, around),
        *(
            column == value
            for column, value in (
                (col(FAQ.topic), topic),
                (col(FAQ.section), section),
                (col(FAQ.answered), answered),
            )
            if value is not None
        ),
    ]
    page = read_page(session, FAQ, wanted=wanted, order=_ORDER, limit=limit, after=after)
    return page.with_items([_publish(row, around, sections) for row in page.items])


def find_faq(session: Session, *, slug: str) -> FAQPublic | Moved | Withdrawn | None:
    """`Moved` for a former slug, `Withdrawn` for a withdrawn FAQ, `None` for an unknown slug."""
    faq = session.exec(select(FAQ).where(FAQ.slug == slug)).first()
    if faq is None:
        current = find_current_slug(session, kind=Kind.FAQ, slug=slug)
        return Moved(current) if current else None
    around = find_surroundings(session)
    if faq.withdrawn_on and faq.withdrawn_on <= around.today:
        return Withdrawn()
    return _publish(faq, around, _published_sections(session, around))


def _exists(session: Session, condition: ColumnElement[bool]) -> bool:
    return bool(session.connection().execute(select(1).where(condition).limit(1)).first())


def _published_sections(session: Session, around: Surroundings) -> Collection[str]:
    return session.exec(select(Section.slug).where(is_published(Section, around))).all()


def _publish(faq: FAQ, around: Surroundings, sections: Collection[str]) -> FAQPublic:
    return FAQPublic(
        slug=faq.slug,
        question=faq.question,
        answer=body_of(faq.markdown_for(around.status.state)),
        answered=faq.answered,
        topic=faq.topic,
        position=faq.position,
        section=faq.section if faq.section in sections else None,
        notices=around.notices_for(faq.notices),
        depends_on_status=faq.answers is not None,
        clinic_state=around.status.state,
        locale=around.locale,
        version=faq.version,
        published_at=faq.published_at,
        updated_at=faq.updated_at,
    )
