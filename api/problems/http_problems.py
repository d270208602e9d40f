"""Problems of HTTP itself, which are independent of the resource (RFC 9110, RFC 6585)."""

from api.problems.problem import Problem


class BadRequest(Problem):
    status = 400
    slug = "bad-request"
    title = "This is not a request that can be read"
    detail = "The request could not be read. Nothing was stored."
    about = (
        "The request violates HTTP/1.1 (RFC 9112) in its framing or its `Host`, or has a transfer "
        "coding other than `chunked`. The connection is closed, because the rest of it could be "
        "read in two ways."
    )


class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = "This method is not allowed here"
    detail = "This address cannot be used in this way."
    about = "The header field `Allow` lists the methods of this path."


class RequestTimeout(Problem):
    status = 408
    slug = "request-timeout"
    title = "The request did not arrive in time"
    detail = "Your request took too long to arrive. Please try again. Nothing was stored."
    about = "A request must arrive within ten seconds, head and body together."


class PreconditionFailed(Problem):
    status = 412
    slug = "precondition-failed"
    title = "It was changed meanwhile"
    detail = "Somebody else changed this in the meantime. Please reload it and try again."
    about = "`If-Match` is not the current `ETag`. Read the resource again before you change it."


class ContentTooLarge(Problem):
    status = 413
    slug = "content-too-large"
    title = "The body is too large"
    detail = "What was sent is too large. Nothing was stored."
    about = (
        "The maximum size of a body is 65,536 bytes (64 KiB), and 1,048,576 bytes (1 MiB) for a "
        "document."
    )


class URITooLong(Problem):
    status = 414
    slug = "uri-too-long"
    title = "The address is too long"
    detail = "This address is too long to be read."
    about = "The maximum size of a request target is 8 KiB."


class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = "The body is not declared as JSON"
    detail = "The request could not be read. Nothing was stored."
    about = (
        "Send `Content-Type: application/json`, without a charset or with UTF-8, and without "
        "`Content-Encoding`."
    )


class PreconditionRequired(Problem):
    status = 428
    slug = "precondition-required"
    title = "If-Match is needed"
    detail = "This change could overwrite another one. Please reload it and try again."
    about = "Send the `ETag` that you read as `If-Match`, so that no newer change is overwritten."


class TooManyRequests(Problem):
    status = 429
    slug = "too-many-requests"
    title = "Too many requests"
    detail = "Too many requests came from this connection. Please try again later."
    about = "`Retry-After` says after how many seconds the next request is accepted."


class HeaderFieldsTooLarge(Problem):
    status = 431
    slug = "header-fields-too-large"
    title = "The header fields are too large"
    detail = "The request could not be read. Nothing was stored."
    about = "The maximum is 100 header fields with 16 KiB together."
