"""All routes of the staff, one line for each noun."""

from fastapi import APIRouter

from api.auth import NEEDS_SCOPE, NEEDS_TOKEN
from api.staff import (
    audit_events,
    consultation_requests,
    deliveries,
    documents,
    status_changes,
    tokens,
    webhooks,
)

router = APIRouter(tags=["Staff"], responses=NEEDS_TOKEN)
router.include_router(tokens.me_router)
router.include_router(tokens.router, responses=NEEDS_SCOPE)
router.include_router(consultation_requests.router, responses=NEEDS_SCOPE)
router.include_router(status_changes.router, responses=NEEDS_SCOPE)
router.include_router(documents.router, responses=NEEDS_SCOPE)
router.include_router(webhooks.router, responses=NEEDS_SCOPE)
router.include_router(deliveries.router, responses=NEEDS_SCOPE)
router.include_router(audit_events.router, responses=NEEDS_SCOPE)
