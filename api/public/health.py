"""Health checks for monitoring."""

from fastapi import APIRouter, Request, Response

from api import paths
from api.problems.catalogue import RETRY_AFTER
from api.runtime import runtime_of
from models.health import Liveness, Readiness

router = APIRouter(prefix=paths.READINESS, tags=["Health"])
live_router = APIRouter(prefix="/health/live", tags=["Health"])


@live_router.get("")
async def read_liveness() -> Liveness:
    """Whether the process answers. Nothing else is checked."""
    return Liveness(status="alive")


@router.get("", responses={503: {"model": Readiness, "description": "A necessary check failed."}})
async def read_readiness(request: Request, response: Response) -> Readiness:
    """Whether a consultation request would be stored. The result may be up to five seconds old."""
    readiness = await runtime_of(request).readiness.check()
    if readiness.status != "ready":
        response.status_code = 503
        response.headers.update(RETRY_AFTER)
    return readiness
