"""The facts in a content file besides the content of its document."""

from pydantic import model_validator

from models.texts import Slugs
from models.values import Day, Input, Slug


class FileReview(Input):
    """The last review of a text, and the day by which the next one is due."""

    last_reviewed_on: Day | None = None
    next_review_due_on: Day | None = None

    @model_validator(mode="after")
    def _check_days(self) -> "FileReview":
        if self.next_review_due_on and not self.last_reviewed_on:
            raise ValueError("next_review_due_on goes with last_reviewed_on")
        return self


class FileFacts(Input):
    """The name of a text, its former names, the day of its withdrawal, and its last review."""

    slug: Slug
    former_slugs: Slugs = []
    withdrawn_on: Day | None = None
    review: FileReview = FileReview()
