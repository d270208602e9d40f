"""The service itself."""

from pydantic import Field as Described

from models.values import ClinicState, Output

NAME = "Clinic API"
VERSION = "0.1.0"


class ServiceLinks(Output):
    """Where everything is, as paths on this host."""

    clinic: str = Described(description="The clinic.")
    status: str = Described(description="Whether it is open.")
    status_history: str = Described(description="Every change of its state.")
    sections: str = Described(description="Content sections.")
    faqs: str = Described(description="Questions and answers.")
    bundle: str = Described(description="Everything in one document.")
    consultation_request_form: str = Described(description="The form.")
    documentation: str = Described(description="The page for developers.")
    openapi: str = Described(description="The OpenAPI document.")
    health: str = Described(description="Whether the service can do its work.")


class ServicePublic(Output):
    """What answers here."""

    name: str = Described(description="Name of the service.")
    version: str = Described(description="The service's version, not the content's.")
    clinic_state: ClinicState = Described(description="The clinic's state now.")
    links: ServiceLinks = Described(description="Where everything is.")
