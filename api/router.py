"""All routes, one line for each noun. The OpenAPI document has the same order."""

from fastapi import APIRouter, Depends

from api.http.queries import refuse_unknown_parameters
from api.intake import routes as consultation_requests
from api.pages import documentation as docs
from api.pages import security_txt, staff_page
from api.problems.catalogue import InvalidQuery, Unavailable
from api.problems.document import responses
from api.public import bundle as sync
from api.public import clinic, faqs, health, sections, status
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
