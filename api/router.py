"""All routes, one line a noun, in reading order."""

from fastapi import APIRouter, Depends

from api import (
    clinic,
    consultation_requests,
    docs,
    faqs,
    health,
    sections,
    security_txt,
    staff_page,
    status,
    sync,
)
from api.problem_details import responses
from api.problems import InvalidQuery, Unavailable
from api.queries import refuse_unknown_parameters
from api.staff.router import router as staff_router

router = APIRouter(
    dependencies=[Depends(refuse_unknown_parameters)], responses=responses(InvalidQuery)
)
needs_database = responses(Unavailable)
router.include_router(clinic.router, responses=needs_database)
router.include_router(clinic.negotiated, responses=needs_database)
router.include_router(status.router, responses=needs_database)
router.include_router(sections.router, responses=needs_database)
router.include_router(faqs.router, responses=needs_database)
router.include_router(sync.router, responses=needs_database)
router.include_router(consultation_requests.form_router, responses=needs_database)
router.include_router(consultation_requests.intake_router, responses=needs_database)
router.include_router(consultation_requests.router, responses=needs_database)
router.include_router(staff_router, responses=needs_database)
router.include_router(staff_page.router)
router.include_router(health.live_router)
router.include_router(health.router)
router.include_router(docs.router)
router.include_router(security_txt.router)
