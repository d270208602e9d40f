"""All published content in one answer, for apps that store it on the device."""

from fastapi import APIRouter

from api import paths
from api.cache.policy import StatusRoute
from api.dependencies import SessionDep
from data.documents.bundle import find_bundle
from models.publication import BundlePublic

router = APIRouter(tags=["Content"], route_class=StatusRoute)


@router.get(paths.BUNDLE)
def read_bundle(session: SessionDep) -> BundlePublic:
    """All published content in one answer. An app can load and store it at its start.

    The `ETag` changes only if the content changes. So a later start with `If-None-Match` usually
    gets a 304.
    """
    return find_bundle(session, form_path=paths.FORM)
