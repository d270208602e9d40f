"""Records the SQL statements that requests execute."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Engine, event

# The background tasks run in other contexts, so their statements are not recorded.
_counts: ContextVar[bool] = ContextVar("counts", default=False)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The SQL statements that the requests of the block execute."""
    executed: list[str] = []

    def record(_c: object, _u: object, statement: str, *_: object) -> None:
        if _counts.get() and statement != "BEGIN":
            executed.append(statement)

    event.listen(engine, "before_cursor_execute", record)
    token = _counts.set(True)
    yield executed
    _counts.reset(token)
    event.remove(engine, "before_cursor_execute", record)
