"""Nobody overwrites what somebody else changed meanwhile (RFC 9110, section 13.1.1)."""

from typing import Annotated

from fastapi import Header, Response

from api.problems.protocol import PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        # Its absence is told as 428, after it is known who asks.
        description="The `ETag` of what was read; a change of something newer is refused.",
    ),
]


def entity_tag(version: int) -> str:
    return f'"{version}"'


def require_match(if_match: str | None, *, version: int) -> None:
    """Raises `PreconditionRequired` without the field, `PreconditionFailed` where it is stale.

    `*` names no version, so it says nothing about what the caller has seen and does not match.
    """
    if if_match is None:
        raise PreconditionRequired
    tags = {tag.strip() for tag in if_match.split(",")}
    if entity_tag(version) not in tags:
        raise PreconditionFailed


def set_entity_tag(response: Response, version: int) -> None:
    response.headers["ETag"] = entity_tag(version)
