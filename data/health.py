"""Whether the database can be written to."""

import os

from sqlalchemy import delete
from sqlmodel import Session

from models.health import HealthProbe

# As much as the largest request needs: a disk that cannot take it is full for our purpose.
_PROBE_BYTES = 32 * 1024


def probe_writing(session: Session) -> None:
    """Writes and erases what a large request would take; raises what the database raises."""
    session.add(HealthProbe(payload=os.urandom(_PROBE_BYTES)))
    session.flush()
    session.connection().execute(delete(HealthProbe))
