"""What an app keeps on the device."""

from fastapi import APIRouter

from api import paths
from api.cache.policy import StatusRoute
from api.dependencies import SessionDep
from data.documents.bundle import find_bundle
from models.publication import BundlePublic

router = APIRouter(tags=["Content"], route_class=StatusRoute)


@router.get(paths.BUNDLE)
def read_bundle(session: SessionDep) -> BundlePublic:
    """Everything that is published, in one document: an app's first call.

    The `ETag` changes only when something in it does, so `If-None-Match` makes each later start
    a 304.
    """
    return find_bundle(session, form_path=paths.FORM)
