"""FAQs in the database."""

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from data.publication import find_current_slug
from data.texts import Surroundings, body_of, find_surroundings
from models.faq import FAQ, FAQPublic
from models.listing import Page
from models.publication import Moved, Withdrawn
from models.section import Section

KIND = "faq"


class UnknownTopic(Exception):
    """No FAQ has this topic."""


class UnknownSection(Exception):
    """No section has this slug."""


def list_faqs(
    session: Session,
    *,
    topic: str | None = None,
    section: str | None = None,
    answered: bool | None = None,
    limit: int | None = None,
    after: int | None = None,
) -> Page[FAQPublic]:
    """Published FAQs in their order; all of them without a `limit`."""
    if topic is not None and not _exists(session, col(FAQ.topic) == topic):
        raise UnknownTopic
    if section is not None and not _exists(session, col(Section.slug) == section):
        raise UnknownSection
    around = find_surroundings(session)
    wanted = and_(
        or_(col(FAQ.withdrawn_on).is_(None), col(FAQ.withdrawn_on) > around.today),
        *(
            column == value
            for column, value in (
                (col(FAQ.topic), topic),
                (col(FAQ.section), section),
                (col(FAQ.answered), answered),
            )
            if value is not None
        ),
    )
    total = session.exec(select(func.count()).select_from(FAQ).where(wanted)).one()
    query = select(FAQ).where(wanted).order_by(col(FAQ.position))
    if after is not None:
        query = query.where(col(FAQ.position) > after)
    if limit is not None:
        query = query.limit(limit + 1)
    rows = list(session.exec(query))
    shown = rows[:limit]
    return Page(
        items=[_publish(row, around) for row in shown],
        total=total,
        last_key=shown[-1].position if len(rows) > len(shown) else None,
        clinic_state=around.status.state,
    )


def find_faq(session: Session, *, slug: str) -> FAQPublic | Moved | Withdrawn | None:
    faq = session.exec(select(FAQ).where(FAQ.slug == slug)).first()
    if faq is None:
        current = find_current_slug(session, kind=KIND, slug=slug)
        return Moved(current) if current else None
    around = find_surroundings(session)
    if faq.withdrawn_on and faq.withdrawn_on <= around.today:
        return Withdrawn()
    return _publish(faq, around)


def _exists(session: Session, condition: ColumnElement[bool]) -> bool:
    return bool(session.connection().execute(select(1).where(condition).limit(1)).first())


def _publish(faq: FAQ, around: Surroundings) -> FAQPublic:
    return FAQPublic(
        slug=faq.slug,
        question=faq.question,
        answer=body_of(faq.markdown_for(around.status.state)),
        answered=faq.answered,
        topic=faq.topic,
        position=faq.position,
        section=faq.section,
        notices=around.notices_for(faq.notices),
        depends_on_status=faq.answers is not None,
        clinic_state=around.status.state,
        locale=around.locale,
        version=faq.version,
        published_at=faq.published_at,
        updated_at=faq.updated_at,
    )
