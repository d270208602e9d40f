"""Lists of the revisions and of the publications of one document, for staff."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from data.documents.effective import holds_at, not_called_off
from data.documents.listing import facts_of, read_planned
from data.paging import Cursor, Order, Page, read_page
from models.document import Document, Publication, PublicationCallingOff, Revision
from models.document_output import PlannedPublication, RevisionLine, StaffPublication
from models.status_change import Standing
from models.values import utc_now

_NEWEST_REVISION = Order(Revision.number, descending=True)
_NEWEST_PUBLICATION = Order(Publication.id, descending=True)


def line_of(revision: Revision) -> RevisionLine:
    return RevisionLine(
        revision=revision.number,
        saved_at=revision.saved_at,
        saved_by=revision.author,
        origin=revision.origin,
        note=revision.note,
    )


def list_revisions(
    session: Session, *, document: Document, limit: int, after: Cursor | None
) -> Page[RevisionLine]:
    """A page of the revisions without their contents, the newest first. Raises `WrongCursor`."""
    wanted = [col(Revision.document_id) == document.id]
    page = read_page(
        session, Revision, wanted=wanted, order=_NEWEST_REVISION, limit=limit, after=after
    )
    return page.with_items([line_of(row) for row in page.items])


def list_publications(
    session: Session, *, document: Document, limit: int, after: Cursor | None
) -> Page[StaffPublication]:
    """A page of the publications and withdrawals, the newest first. Raises `WrongCursor`."""
    wanted = [col(Publication.document_id) == document.id]
    page = read_page(
        session, Publication, wanted=wanted, order=_NEWEST_PUBLICATION, limit=limit, after=after
    )
    return page.with_items(_with_states(session, document, page.items))


def describe_publication(
    session: Session, *, document: Document, publication: Publication
) -> StaffPublication:
    """One publication as the list has it."""
    [described] = _with_states(session, document, [publication])
    return described


def list_planned_publications(session: Session, *, document: Document) -> list[PlannedPublication]:
    """The publications and withdrawals that have not begun, the next one first."""
    of_document = [col(Document.id) == document.id]
    return read_planned(session, now=utc_now(), conditions=of_document)[document.id or 0]


def _with_states(
    session: Session, document: Document, rows: Sequence[Publication]
) -> list[StaffPublication]:
    now = utc_now()
    called_off = set(
        session.exec(
            select(PublicationCallingOff.publication_id).where(
                col(PublicationCallingOff.publication_id).in_([row.id for row in rows])
            )
        )
    )
    in_effect = session.exec(
        select(Publication.id)
        .where(Publication.document_id == document.id, holds_at(now), not_called_off())
        .order_by(col(Publication.from_at).desc(), col(Publication.id).desc())
        .limit(1)
    ).first()
    revisions = [row.revision_id for row in rows if row.revision_id]
    numbers = dict(
        session.exec(
            select(col(Revision.id), col(Revision.number)).where(col(Revision.id).in_(revisions))
        ).all()
    )

    def standing(row: Publication) -> Standing:
        if row.id in called_off:
            return Standing.CALLED_OFF
        if row.from_at > now:
            return Standing.PLANNED
        return Standing.IN_EFFECT if row.id == in_effect else Standing.PAST

    return [
        StaffPublication.model_validate(
            {**facts_of(row, numbers.get(row.revision_id)), "state": standing(row)}
        )
        for row in rows
    ]
