"""Paths of public reads: those whose answers the response cache stores, and others."""

from tests.support.intake import PATH

TEXTS = [
    "/v1/clinic", "/v1/sections", "/v1/sections/exercises", "/v1/sections?limit=1",
    "/v1/faqs", "/v1/faqs/may-it-hurt", "/v1/faqs?answered=true", "/openapi.json", "/docs",
    "/docs/swagger-ui.css", "/problems/gone",
]  # fmt: skip

STATES = ["/", "/v1/status", "/v1/status/history", "/v1/bundle", f"{PATH}/form"]

NEVER_KEPT = ["/health/live", "/health/ready", "/v1/nothing", "/v1/sections?x=1", "/problems/none"]
