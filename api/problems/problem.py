"""The base class of all problems (RFC 9457). `catalogue.py` and `protocol.py` define them."""

from collections.abc import Mapping
from typing import ClassVar

RETRY_AFTER = {"Retry-After": "5"}

# Extension members of a problem document (RFC 9457, section 3.2).
Extension = Mapping[str, object]


class Problem(Exception):
    """A problem. Raising it answers the request with its document.

    `detail` is for a patient, `about` for a developer: its page is at `/problems/SLUG`. The OpenAPI
    document shows `example` as extension members.
    """

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    detail: ClassVar[str]
    about: ClassVar[str]
    example: ClassVar[Extension] = {}

    def __init__(
        self, *, headers: Mapping[str, str] | None = None, extension: Extension | None = None
    ) -> None:
        super().__init__(self.slug)
        self.headers = headers or {}
        self.extension = extension or {}

    @classmethod
    def document(cls, *, instance: str, extension: Extension) -> dict[str, object]:
        return {
            "type": f"/problems/{cls.slug}",
            "title": cls.title,
            "status": cls.status,
            "detail": cls.detail,
            "instance": instance,
            **extension,
        }
