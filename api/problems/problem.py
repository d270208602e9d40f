"""One thing that went wrong, as a problem document (RFC 9457). `catalogue.py` lists them all."""

from collections.abc import Mapping
from typing import Any, ClassVar

RETRY_AFTER = {"Retry-After": "5"}

Extension = Mapping[str, Any]


class Problem(Exception):
    """Something that went wrong, as the caller is told."""

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
    def document(cls, *, instance: str, extension: Extension) -> dict[str, Any]:
        return {
            "type": f"/problems/{cls.slug}",
            "title": cls.title,
            "status": cls.status,
            "detail": cls.detail,
            "instance": instance,
            **extension,
        }
