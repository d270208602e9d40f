"""The clinic, and the root path of the service."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api import paths
from api.cache.negotiation import preferred_media_type
from api.cache.policy import NegotiatedRoute, StatusRoute
from api.dependencies import SessionDep
from api.formats import json_ld
from data.documents.clinic import find_public_clinic
from data.documents.status import find_status
from models.clinic import ClinicPublic
from models.service import NAME, VERSION, ServiceLinks, ServicePublic

router = APIRouter(tags=["Clinic"], route_class=StatusRoute)
negotiated = APIRouter(prefix=paths.CLINIC, tags=["Clinic"], route_class=NegotiatedRoute)

_JSON_LD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The clinic. With `Accept: application/ld+json` it is a `MedicalClinic` of "
        "schema.org.",
        "content": {json_ld.MEDIA_TYPE: {"schema": json_ld.SCHEMA}},
    }
}

_LINKS = ServiceLinks(
    clinic=paths.CLINIC,
    status=paths.STATUS,
    status_history=paths.STATUS_HISTORY,
    sections=paths.SECTIONS,
    faqs=paths.FAQS,
    bundle=paths.BUNDLE,
    consultation_request_form=paths.FORM,
    documentation=paths.DOCUMENTATION,
    openapi=paths.OPENAPI,
    health=paths.READINESS,
)


@router.get("/")
def read_service(session: SessionDep) -> ServicePublic:
    """The name and version of this service, and the paths of its resources."""
    state = find_status(session).state
    return ServicePublic(name=NAME, version=VERSION, clinic_state=state, links=_LINKS)


@negotiated.get("", response_model=ClinicPublic, responses=_JSON_LD)
def read_clinic(session: SessionDep, request: Request) -> ClinicPublic | Response:
    """The clinic: location, contact, opening hours, treatments. A field is `null` if not known."""
    clinic = find_public_clinic(session)
    accept = ", ".join(request.headers.getlist("Accept")).encode("latin-1")
    if preferred_media_type(accept) == json_ld.MEDIA_TYPE:
        status = find_status(session)
        return JSONResponse(json_ld.medical_clinic(clinic, status), media_type=json_ld.MEDIA_TYPE)
    return clinic
