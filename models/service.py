"""The service itself."""

from pydantic import Field as Described

from models.values import ClinicState, Output

NAME = "Clinic API"
VERSION = "0.1.0"


class ServiceLinks(Output):
    clinic: str
    status: str
    status_history: str
    sections: str
    faqs: str
    bundle: str
    consultation_request_form: str
    documentation: str
    openapi: str
    health: str


class ServicePublic(Output):
    name: str
    version: str = Described(description="The service's version, not the content's.")
    clinic_state: ClinicState
    links: ServiceLinks


LINKS = ServiceLinks(
    clinic="/v1/clinic",
    status="/v1/status",
    status_history="/v1/status/history",
    sections="/v1/sections",
    faqs="/v1/faqs",
    bundle="/v1/bundle",
    consultation_request_form="/v1/consultation-requests/form",
    documentation="/docs",
    openapi="/openapi.json",
    health="/health/ready",
)
