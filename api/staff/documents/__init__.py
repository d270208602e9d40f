"""Documents: staff saves revisions of the clinic's texts, publishes them and withdraws them."""

from fastapi import APIRouter

from api.staff.documents import documents, publications, revisions, withdrawals

router = APIRouter()
router.include_router(documents.router)
router.include_router(revisions.router)
router.include_router(publications.router)
router.include_router(withdrawals.router)
