"""Which publications are in effect, read step by step and all at once."""

import random
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.database import reading, writing
from data.documents.content_version import find_content_version
from data.documents.effective import EffectivePublications, find_next_boundary, read_effective
from data.documents.publishing import append_calling_off, append_publication, append_review
from data.documents.revisions import find_newest_revision
from models.document import (
    ChangeSize,
    Document,
    Publication,
    PublicationCallingOff,
    PublicationType,
)
from models.document_file import FileReview
from models.values import utc_now
from tests.support.documents import EDITOR, document_of
from tests.support.repetitions import repetitions

SLUGS = ["recovery", "exercises", "first-visit"]


def publish_at_random(session: Session, chance: random.Random, now: datetime) -> None:
    """A publication, a withdrawal, a calling off or a review; now or at a later time."""
    document = document_of(session, "section", chance.choice(SLUGS))
    revision = find_newest_revision(session, document=document)
    begins = now + timedelta(seconds=chance.choice([0, 0, 1, 3, 10]))
    ends = begins + timedelta(seconds=chance.randint(1, 5)) if chance.random() < 0.4 else None
    match chance.randint(0, 9):
        case 0:
            how, reason = PublicationType.RECALLED, "It was wrong."
            append_publication(session, document=document, kind=how, reason=reason, from_at=begins,
                               editor=EDITOR)  # fmt: skip
        case 1:
            append_publication(session, document=document, kind=PublicationType.MOVED,
                               moved_to="exercises", from_at=begins, editor=EDITOR)  # fmt: skip
        case 2 | 3:
            call_off_at_random(session, chance, now)
        case 4 if revision:
            review = FileReview(last_reviewed_on=now.date())
            append_review(
                session, document=document, revision=revision, review=review, editor=EDITOR
            )
        case _:
            append_publication(session, document=document, kind=PublicationType.PUBLISHED,
                               revision=revision, from_at=begins, until_at=ends, editor=EDITOR,
                               change=chance.choice(list(ChangeSize)))  # fmt: skip


def call_off_at_random(session: Session, chance: random.Random, now: datetime) -> None:
    planned = session.exec(
        select(Publication).where(
            col(Publication.from_at) > now,
            col(Publication.id).not_in(select(PublicationCallingOff.publication_id)),
        )
    ).all()
    if planned:
        publication = chance.choice(planned)
        document = session.get_one(Document, publication.document_id)
        append_calling_off(session, document=document, publication=publication, editor=EDITOR)


@pytest.mark.parametrize("steps", repetitions(40, soak=3000))
async def test_step_by_step_equals_all_at_once(engine: Engine, steps: int) -> None:
    """After random publications and times, both ways of reading find the same."""
    chance = random.Random(2005)
    now = utc_now()
    known: EffectivePublications | None = None
    for _ in range(steps):
        if chance.random() < 0.7:
            with writing(engine) as session:
                publish_at_random(session, chance, now)
        now += timedelta(seconds=chance.choice([0, 0.5, 1, 4]))
        with reading(engine) as session:
            version = find_content_version(session)
            fresh = read_effective(session, version=version, now=now, previous=None)
            known = read_effective(session, version=version, now=now, previous=known)
            assert known == fresh
            boundary = find_next_boundary(session, now=now)
            assert boundary is None or boundary > now
