"""Problems of HTTP itself, whatever was asked for (RFC 9110, RFC 6585)."""

from api.problems.problem import Problem


class BadRequest(Problem):
    status = 400
    slug = "bad-request"
    title = "This is not a request that can be read"
    detail = "The request could not be read. Nothing was stored."
    about = (
        "The message breaks the rules of HTTP/1.1 (RFC 9112): its framing, its `Host`, or a coding "
        "other than `chunked`. The connection is closed, so that nothing is read in two ways."
    )


class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = "This method is not allowed here"
    detail = "This address cannot be used in this way."
    about = "The header `Allow` lists the methods that this path knows."


class RequestTimeout(Problem):
    status = 408
    slug = "request-timeout"
    title = "The request did not arrive in time"
    detail = "Your request took too long to arrive. Please try again. Nothing was stored."
    about = "A request has ten seconds to arrive, head and body together."


class PreconditionFailed(Problem):
    status = 412
    slug = "precondition-failed"
    title = "It was changed meanwhile"
    detail = "Somebody else changed this in the meantime. Please look at it again."
    about = "`If-Match` does not name the current `ETag`. Read it again, then decide again."


class ContentTooLarge(Problem):
    status = 413
    slug = "content-too-large"
    title = "The body is too large"
    detail = "What was sent is too large. Nothing was stored."
    about = "A body may have at most 65,536 bytes (64 KiB)."


class URITooLong(Problem):
    status = 414
    slug = "uri-too-long"
    title = "The address is too long"
    detail = "This address is too long to be read."
    about = "At most 8 KiB of a request's target are read."


class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = "The body is not declared as JSON"
    detail = "The request could not be read. Nothing was stored."
    about = (
        "Send `Content-Type: application/json`, with no charset but UTF-8 and without a "
        "`Content-Encoding`."
    )


class PreconditionRequired(Problem):
    status = 428
    slug = "precondition-required"
    title = "If-Match is needed"
    detail = "This change could overwrite somebody else's. Please look at it again."
    about = "Send the `ETag` of what you read as `If-Match`, so that nothing is overwritten."


class TooManyRequests(Problem):
    status = 429
    slug = "too-many-requests"
    title = "Too many requests"
    detail = "Too many requests came from this connection. Please try again later."
    about = "`Retry-After` says after how many seconds the next request is taken."


class HeaderFieldsTooLarge(Problem):
    status = 431
    slug = "header-fields-too-large"
    title = "The header fields are too large"
    detail = "The request could not be read. Nothing was stored."
    about = "At most 100 header fields are read, and at most 16 KiB of them."
