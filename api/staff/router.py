"""The staff's routes, in reading order."""

from fastapi import APIRouter

from api.auth import GUARDED
from api.staff import audit_events, consultation_requests, status_changes, tokens

router = APIRouter(prefix="/v1/staff", tags=["Staff"], responses=GUARDED)
router.include_router(tokens.router)
router.include_router(consultation_requests.router)
router.include_router(status_changes.router)
router.include_router(audit_events.router)
