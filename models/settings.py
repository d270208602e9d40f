"""The settings, read once from the environment and from a file `.env` beside `main.py`."""

import os
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import limits
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from models.consultation_request import FINAL_STATES, RequestState
from models.delivery import Channel
from models.email_address import parse_email_address

ROOT = Path(__file__).resolve().parent.parent
# The value of CLINIC_CONTENT for the content of this repository.
SHIPPED = "shipped"
_PREFIX = "CLINIC_"
_FILE = ROOT / ".env"
_TEST_PREFIX = "CLINIC_TEST_"
# An origin as browsers send it (RFC 6454, section 6.2). Apps use their own schemes.
_ORIGIN = re.compile(
    r"^[a-z][a-z0-9+.-]{0,31}://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?$"
)
# Browsers omit the default port of a scheme.
_USUAL_PORTS = {"http": ":80", "https": ":443"}


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=_FILE, extra="ignore", frozen=True
    )

    environment: Literal["development", "production"] = "development"
    database_url: str = Field(default=f"sqlite:///{ROOT}/var/clinic.db", repr=False)
    migration_database_url: str | None = Field(default=None, repr=False)
    content: str | None = None
    backup_dir: Path | None = None
    keyring: SecretStr | None = None
    keyring_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    connections_per_address: int = Field(default=512, ge=1)
    intake_rate: str = "30 per hour"
    rate_storage: SecretStr | None = None
    form_grace_days: int = Field(default=14, ge=0, le=3650)
    retention: Annotated[dict[RequestState, int], NoDecode] = {}
    smtp_url: SecretStr | None = None
    smtp_plain: str | None = None
    mail_from: str | None = None
    notify_to: str | None = None
    confirm_to_submitter: bool = False
    letters_per_recipient: int = Field(default=3, ge=1)
    public_url: str | None = None
    receipt_url: str | None = None
    security_contact: str | None = None
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    token: SecretStr | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("cors_origins", "trusted_proxies", "webhook_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("retention", mode="before")
    @classmethod
    def _read_days(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = (part.partition("=") for part in value.split(",") if part.strip())
            return {state.strip(): days.strip() for state, _, days in pairs}
        return value

    @field_validator("retention")
    @classmethod
    def _check_retention(cls, value: dict[RequestState, int]) -> dict[RequestState, int]:
        if not set(value) <= FINAL_STATES or any(days < 1 for days in value.values()):
            raise ValueError("must be days by final state, such as completed=3650, declined=90")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            usual_port = _USUAL_PORTS.get(origin.partition("://")[0])
            if not _ORIGIN.fullmatch(origin) or (usual_port and origin.endswith(usual_port)):
                raise ValueError(
                    "must be origins such as https://www.example.org or capacitor://localhost, by "
                    "commas, in lower case, without `*`, a path, a final slash or the usual port"
                )
        return value

    @field_validator("intake_rate")
    @classmethod
    def _check_rate(cls, value: str) -> str:
        if value:
            limits.parse(value)
        return value

    @field_validator("rate_storage")
    @classmethod
    def _check_rate_storage(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("must begin with redis:// or rediss://")
        return value

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _check_database_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError:
            raise ValueError("must be a database URL") from None
        if backend not in ("sqlite", "postgresql"):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                parts = urlsplit(value.get_secret_value())
                is_server = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0
            except ValueError:
                is_server = False
            if not is_server:
                raise ValueError("must be smtp://HOST:PORT or smtps://USER:PASSWORD@HOST:PORT")
        return value

    @field_validator("mail_from", "notify_to")
    @classmethod
    def _check_email_address(cls, value: str | None) -> str | None:
        if value is not None and parse_email_address(value, may_be_test=True) is None:
            raise ValueError("must be an e-mail address")
        return value

    @field_validator("public_url", "receipt_url")
    @classmethod
    def _check_web_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https://")
        # The service appends a path that begins with a slash.
        return value.rstrip("/")

    @field_validator("receipt_url")
    @classmethod
    def _check_fragment(cls, value: str | None) -> str | None:
        if value is not None and "#" in value:
            raise ValueError("must not contain #: the service appends the receipt after a #")
        return value

    @field_validator("security_contact")
    @classmethod
    def _check_contact(cls, value: str | None) -> str | None:
        """The contact as a URI for security.txt (RFC 9116): `mailto:` or `https:`."""
        if value is None:
            return None
        if not re.fullmatch("[!-~]+", value):
            raise ValueError("must be an e-mail address, or begin with https://")
        if value.startswith("https://") and urlsplit(value).hostname:
            return value
        mailbox = value.removeprefix("mailto:")
        cls._check_email_address(mailbox)
        return f"mailto:{mailbox}"

    @model_validator(mode="after")
    def _check_roles(self) -> "Settings":
        if self.migration_database_url:
            owner, serving = make_url(self.migration_database_url), make_url(self.database_url)
            if {owner.get_backend_name(), serving.get_backend_name()} != {"postgresql"}:
                raise ValueError("CLINIC_MIGRATION_DATABASE_URL is for PostgreSQL")
            if not serving.username:
                raise ValueError("CLINIC_DATABASE_URL must name the role of the service")
        return self

    @model_validator(mode="after")
    def _check_mail(self) -> "Settings":
        if (self.notify_to or self.confirm_to_submitter) and not (self.smtp_url and self.mail_from):
            raise ValueError("e-mail needs CLINIC_SMTP_URL and CLINIC_MAIL_FROM")
        return self

    @model_validator(mode="after")
    def _check_plain_server(self) -> "Settings":
        if self.smtp_plain:
            server = urlsplit(self.smtp_url.get_secret_value() if self.smtp_url else "")
            if server.scheme != "smtp" or server.hostname != self.smtp_plain.lower():
                raise ValueError("CLINIC_SMTP_PLAIN must be the host of an smtp:// CLINIC_SMTP_URL")
            if server.username is not None:
                raise ValueError("CLINIC_SMTP_PLAIN: a password is never sent without TLS")
        return self

    @property
    def owner_url(self) -> str:
        """Database URL with the role that owns the tables, for migrations and restores."""
        return self.migration_database_url or self.database_url

    @property
    def emails(self) -> tuple[Channel, ...]:
        """The e-mail channels that are notified of a new request."""
        wanted = {
            Channel.CLINIC_EMAIL: self.notify_to is not None,
            Channel.SUBMITTER_EMAIL: self.confirm_to_submitter,
        }
        return tuple(channel for channel, is_wanted in wanted.items() if is_wanted)

    @property
    def form_grace(self) -> timedelta:
        """How long a version of the form is accepted after it was replaced."""
        return timedelta(days=self.form_grace_days)

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def keyring_path(self) -> Path:
        return self.keyring_file or ROOT / "var" / "keyring.json"


class SettingsFault(Exception):
    """A setting cannot be used. The message names the setting, and does not contain its value."""


def read_settings(**overrides: object) -> Settings:
    """Reads the settings; `overrides` have precedence.

    Raises `SettingsFault`, also for an unknown name with the prefix `CLINIC_`.
    """
    known = {f"{_PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in {**dotenv_values(_FILE), **os.environ}:
        is_ours = name.upper().startswith(_PREFIX) and not name.upper().startswith(_TEST_PREFIX)
        if is_ours and name.upper() not in known:
            raise SettingsFault(f"{name} is not a setting; .env.example lists them all")
    try:
        return Settings(**overrides)  # type: ignore[arg-type] # checked by Settings itself
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        lines = (f"{_PREFIX}{'.'.join(map(str, f['loc'])).upper()}: {f['msg']}" for f in faults)
        raise SettingsFault("; ".join(lines)) from None
