"""FAQs in the database."""

from collections.abc import Collection

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from data.documents.publications import find_current_slug
from data.documents.texts import TextContext, body_of, find_context, is_published
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
    context = find_context(session)
    sections = _published_sections(session, context)
    if section is not None and section not in sections:
        raise UnknownSection
    wanted = [
        is_published(FAQ, context),
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
    return page.with_items([_publish(row, context, sections) for row in page.items])


def find_faq(session: Session, *, slug: str) -> FAQPublic | Moved | Withdrawn | None:
    """`Moved` for a former slug, `Withdrawn` for a withdrawn FAQ, `None` for an unknown slug."""
    faq = session.exec(select(FAQ).where(FAQ.slug == slug)).first()
    if faq is None:
        current = find_current_slug(session, kind=Kind.FAQ, slug=slug)
        return Moved(current) if current else None
    context = find_context(session)
    if faq.withdrawn_on and faq.withdrawn_on <= context.today:
        return Withdrawn()
    return _publish(faq, context, _published_sections(session, context))


def _exists(session: Session, condition: ColumnElement[bool]) -> bool:
    return bool(session.connection().execute(select(1).where(condition).limit(1)).first())


def _published_sections(session: Session, context: TextContext) -> Collection[str]:
    return session.exec(select(Section.slug).where(is_published(Section, context))).all()


def _publish(faq: FAQ, context: TextContext, sections: Collection[str]) -> FAQPublic:
    return FAQPublic(
        slug=faq.slug,
        question=faq.question,
        answer=body_of(faq.markdown_for(context.status.state)),
        answered=faq.answered,
        topic=faq.topic,
        position=faq.position,
        section=faq.section if faq.section in sections else None,
        notices=context.notices_for(faq.notices),
        depends_on_status=faq.answers is not None,
        clinic_state=context.status.state,
        locale=context.locale,
        version=faq.version,
        published_at=faq.published_at,
        updated_at=faq.updated_at,
    )
