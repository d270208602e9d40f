"""The exception handlers: which problem is the answer to which exception."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.http.middleware import describe_exception
from api.http.queries import invalid_query
from api.problems.catalogue import (
    RETRY_AFTER,
    MalformedJSON,
    NotFound,
    Problem,
    RecordDamaged,
    Unavailable,
)
from api.problems.document import render
from api.problems.http_problems import MethodNotAllowed
from api.problems.validation import problem_for
from data.crypto import KeyringFault, SealBroken
from data.documents.published import NotLoaded
from data.paging import WrongCursor
from data.postgresql import NotDurable
from data.write_queue import WriteQueueTimeout

log = logging.getLogger("clinic_api")

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WrongCursor, _wrong_cursor)
    app.add_exception_handler(HTTPException, _from_router)
    for database_fault in (DBAPIError, PoolTimeout, NotDurable, NotLoaded):
        app.add_exception_handler(database_fault, _database)
    app.add_exception_handler(WriteQueueTimeout, _waited_too_long)
    app.add_exception_handler(KeyringFault, _keys)
    app.add_exception_handler(SealBroken, _damaged)


def _answer(request: Request, problem: Problem) -> Response:
    return render(problem, request_id=request.scope["state"]["request_id"])


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _answer(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(request, problem_for(error))


async def _wrong_cursor(request: Request, _error: Exception) -> Response:
    return _answer(request, invalid_query(("cursor", "invalid")))


async def _from_router(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404:
            return _answer(request, NotFound())
        case 405:
            return _answer(request, MethodNotAllowed(headers={"Allow": _allowed(request)}))
    # The only other one is FastAPI's 400 for a body that could not be received.
    return _answer(request, MalformedJSON())


def _allowed(request: Request) -> str:
    """The methods of all routes of the path. Starlette reports only those of the first route."""
    routes = request.app.router.routes
    allowed = [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0].name == "FULL" for route in routes
        )
    ]
    return ", ".join([*allowed, "HEAD"] if "GET" in allowed else allowed)


async def _waited_too_long(request: Request, _error: Exception) -> Response:
    return _answer(request, Unavailable(headers=RETRY_AFTER))


async def _database(request: Request, error: Exception) -> Response:
    request_id = request.scope["state"]["request_id"]
    log.error("database %s request=%s", describe_exception(error), request_id)
    return _answer(request, Unavailable(headers=RETRY_AFTER))


async def _keys(request: Request, error: Exception) -> Response:
    # Its message contains only ids of keys and a path, and nothing of the request.
    log.error("keys: %s request=%s", error, request.scope["state"]["request_id"])
    return _answer(request, Unavailable(headers=RETRY_AFTER))


async def _damaged(request: Request, error: Exception) -> Response:
    log.error("damaged: %s request=%s", error, request.scope["state"]["request_id"])
    return _answer(request, RecordDamaged())
