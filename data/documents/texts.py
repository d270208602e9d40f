"""The context of each section and FAQ: the clinic's state, the notices, the language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from data.documents.status import NotLoaded, find_status
from models.clinic import Clinic
from models.faq import FAQ
from models.markdown import render
from models.notice import CLINIC_STATUS, Notice, NoticePublic
from models.section import BodyPublic, Section
from models.status import ClinicStatus
from models.values import ClinicState, utc_now


@dataclass(frozen=True)
class TextContext:
    """The facts of one time that all texts are served with; `today` is in the clinic's zone."""

    status: ClinicStatus
    notices: Sequence[Notice]
    locale: str
    today: date

    def notices_for(self, slugs: list[str]) -> list[NoticePublic]:
        """The notices of a text. The clinic's status comes first, unless the clinic is open."""
        served = [
            NoticePublic.model_validate(notice)
            for notice in self.notices
            if notice.scope == "site" or notice.slug in slugs
        ]
        if self.status.state is not ClinicState.OPEN:
            served.insert(0, NoticePublic(slug=CLINIC_STATUS, text=self.status.change.message))
        return served


def find_context(session: Session) -> TextContext:
    now = utc_now()
    clinic = session.get(Clinic, 1)
    if clinic is None:
        raise NotLoaded
    return TextContext(
        status=find_status(session, at=now),
        notices=session.exec(select(Notice).order_by(col(Notice.position))).all(),
        locale=clinic.locale,
        today=now.astimezone(ZoneInfo(clinic.time_zone)).date(),
    )


def is_published(table: type[Section] | type[FAQ], context: TextContext) -> ColumnElement[bool]:
    """The condition that a text is not withdrawn, or will be withdrawn on a later day."""
    return or_(col(table.withdrawn_on).is_(None), col(table.withdrawn_on) > context.today)


def body_of(markdown: str) -> BodyPublic:
    rendered = render(markdown)
    return BodyPublic(markdown=markdown, html=rendered.html, text=rendered.text)
