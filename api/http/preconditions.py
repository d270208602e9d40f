"""`If-Match`: prevents that a change overwrites a newer version (RFC 9110, section 13.1.1)."""

from typing import Annotated

from fastapi import Header, Response

from api.problems.http_problems import PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        # Optional here, so that 428 is answered only after the authentication.
        description="The `ETag` of the version that you read. A change of a newer version is "
        "refused.",
    ),
]


# The OpenAPI entry of an answer that has the tag.
TAGGED = {"headers": {"ETag": {"description": "For `If-Match`.", "schema": {"type": "string"}}}}


def entity_tag(version: int | str) -> str:
    return f'"{version}"'


def require_match(if_match: str | None, *, version: int | str) -> None:
    """Raises `PreconditionRequired` without the field, `PreconditionFailed` for another version.

    `*` is refused too: it does not show which version the caller has read.
    """
    if if_match is None:
        raise PreconditionRequired
    tags = {tag.strip() for tag in if_match.split(",")}
    if entity_tag(version) not in tags:
        raise PreconditionFailed


def set_entity_tag(response: Response, version: int | str) -> None:
    response.headers["ETag"] = entity_tag(version)
