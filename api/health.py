"""For whoever watches over the service."""

from fastapi import APIRouter

from api.dependencies import WriteSessionDep
from data.deliveries import count_dead
from data.health import probe_writing
from data.mail_health import is_mail_failing
from data.status import find_status
from models.health import Liveness, Readiness

router = APIRouter(prefix="/health/ready", tags=["Health"])
live_router = APIRouter(prefix="/health/live", tags=["Health"])


@live_router.get("")
async def read_liveness() -> Liveness:
    """The process answers; nothing else is looked at."""
    return Liveness(status="alive")


@router.get("")
def read_readiness(session: WriteSessionDep) -> Readiness:
    """The database holds content and takes a write: a POST would be accepted and kept."""
    probe_writing(session)
    find_status(session)
    return Readiness(
        status="ready",
        mail="failed" if is_mail_failing(session) else "ok",
        dead_deliveries=count_dead(session),
    )
