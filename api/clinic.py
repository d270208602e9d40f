"""The clinic, and the service's front door."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.caching import NegotiatedRoute, StatusRoute
from api.dependencies import SessionDep
from data.clinic import find_clinic
from data.status import find_status
from models import json_ld
from models.clinic import ClinicPublic
from models.service import LINKS, NAME, VERSION, ServicePublic
from models.status import StatusPublic

router = APIRouter(tags=["Clinic"], route_class=StatusRoute)
negotiated = APIRouter(prefix="/v1/clinic", tags=["Clinic"], route_class=NegotiatedRoute)

_JSON_LD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The clinic; with `Accept: application/ld+json` as a schema.org "
        "`MedicalClinic`.",
        "content": {json_ld.MEDIA_TYPE: {"schema": json_ld.SCHEMA}},
    }
}


@router.get("/")
def read_service(session: SessionDep) -> ServicePublic:
    """What this service is, and where everything is."""
    state = find_status(session).state
    return ServicePublic(name=NAME, version=VERSION, clinic_state=state, links=LINKS)


@negotiated.get("", response_model=ClinicPublic, responses=_JSON_LD)
def read_clinic(session: SessionDep, request: Request) -> ClinicPublic | Response:
    """Where the clinic is, what it treats and how to reach it, as far as that is known."""
    clinic = ClinicPublic.model_validate(find_clinic(session))
    if prefers_json_ld(request.headers.getlist("Accept")):
        status = StatusPublic.of(find_status(session))
        return JSONResponse(json_ld.medical_clinic(clinic, status), media_type=json_ld.MEDIA_TYPE)
    return clinic


def prefers_json_ld(accept: list[str]) -> bool:
    """Whether JSON-LD is named and weighs at least as much as JSON (RFC 9110, section 12.5.1)."""
    weights: dict[str, float] = {}
    for item in ",".join(accept).split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights[media_range] = float(weight)
        except ValueError:
            weights[media_range] = 0.0
    wanted = weights.get(json_ld.MEDIA_TYPE, 0.0)
    return wanted > 0 and wanted >= weights.get("application/json", 0.0)
