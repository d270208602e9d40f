"""The mail server: TLS, refusals, and how failures are reported to the operator."""

from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from pydantic import ValidationError

from data.database import reading
from data.notifications.mail_health import is_mail_failing
from data.notifications.smtp import Letter, MailServer, send_letter
from tests.support.apps import settings_in
from tests.support.certificates import certificate_for
from tests.support.health import failed_checks
from tests.support.intake import PATH, bearer, body_of, post
from tests.support.open_service import MAIL, OpenService, open_service
from tests.support.process import free_port
from tests.support.receivers import Mailbox, mail_server

BOTH = {"notify_to": "desk@clinic.test", "confirm_to_submitter": True, **MAIL}
OVER_TLS = {**BOTH, "smtp_plain": None}


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for `localhost` that this process trusts."""
    file = certificate_for("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.mark.parametrize(
    ("reply", "for_clinic", "for_submitter"),
    [
        ("451 Later", "pending", "pending"),
        ("550 Nobody", "pending", "cancelled"),
        # These are faults of the server, so the patient's e-mail stays pending.
        ("554 Relay access denied", "pending", "pending"),
        ("550 5.7.1 Relaying denied", "pending", "pending"),
    ],
)
async def test_a_refused_email(
    folder: Path, mail: tuple[Mailbox, str], reply: str, for_clinic: str, for_submitter: str
) -> None:
    """A refused e-mail is tried again, unless the patient's address does not exist."""
    mailbox, server = mail
    mailbox.reply = reply
    async with open_service(folder, smtp_url=server, **BOTH) as service:
        await post(service.client)
        deliveries = await service.until_all_are_tried()
        states = {delivery["channel"]: delivery["state"] for delivery in deliveries}
        assert states == {"clinic_email": for_clinic, "submitter_email": for_submitter}
        mailbox.reply = "250 OK"
        service.make_retries_due()
        await service.until(lambda: "desk@clinic.test" in mailbox.recipients)


async def newest_outcomes(service: OpenService) -> set[tuple[str, str]]:
    """State and last outcome of the newest request's two e-mails."""
    deliveries = await service.until_all_are_tried()
    return {(one["state"], one["attempts"][-1]["outcome"]) for one in deliveries[:2]}


async def test_a_server_without_tls_gets_nothing(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """Without TLS not even an address is sent, unless the setting `smtp_plain` names the server."""
    mailbox, server = mail
    async with open_service(folder, smtp_url=server, **OVER_TLS) as service:
        await post(service.client)
        assert await newest_outcomes(service) == {("pending", "tls_missing")}
        assert (mailbox.senders, mailbox.recipients, mailbox.raw) == ([], [], [])
    async with open_service(folder, smtp_url=server, **BOTH) as service:
        service.make_retries_due()
        await service.until(lambda: len(mailbox.raw) == 2)


@pytest.mark.database("sqlite")
async def test_emails_are_sent_over_tls(folder: Path, certificate: Path) -> None:
    """STARTTLS comes before any address, and the certificate has to match the host name."""
    with mail_server(certificate, require_starttls=True) as (mailbox, server):
        async with open_service(folder, smtp_url=server, **OVER_TLS) as service:
            await post(service.client)
            assert await newest_outcomes(service) == {("pending", "tls_failed")}
            assert mailbox.senders == []
        named = server.replace("127.0.0.1", "localhost")
        async with open_service(folder, smtp_url=named, **OVER_TLS) as service:
            service.make_retries_due()
            await service.until(lambda: len(mailbox.raw) == 2)
            assert mailbox.senders == ["service@clinic.test"] * 2


@pytest.mark.database("sqlite")
async def test_a_wrong_password_cancels_no_email(folder: Path, certificate: Path) -> None:
    """After a failed login the e-mails are tried again."""

    def refuse(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with mail_server(certificate, authenticator=refuse) as (mailbox, server):
        url = server.replace("//127.0.0.1", "//clinic:wrong@localhost")
        async with open_service(folder, smtp_url=url, **OVER_TLS) as service:
            await post(service.client)
            assert await newest_outcomes(service) == {("pending", "smtp_535")}
            assert mailbox.senders == []
    with mail_server(certificate, auth_exclude_mechanism=["LOGIN", "PLAIN"]) as (mailbox, server):
        url = server.replace("//127.0.0.1", "//clinic:unasked@localhost")
        async with open_service(folder, smtp_url=url, **OVER_TLS) as service:
            await post(service.client)
            assert await newest_outcomes(service) == {("pending", "login_missing")}
            assert mailbox.senders == []


@pytest.mark.parametrize(
    "address",
    ["=?utf-8?q?eve=40evil.example?=@example.com", "ada@example.com\r\nRCPT TO:<eve@evil.example>",
     "ada@example.com\nBcc: eve@evil.example", "ada@example.com, eve@evil.example", "ada", ""],
)  # fmt: skip
def test_an_invalid_address_is_not_sent(mail: tuple[Mailbox, str], address: str) -> None:
    """An encoded word, a line break or a second address in an address never reaches the server."""
    mailbox, server = mail
    outcome = send_letter(
        Letter(address, "Subject", "Text.\n", "key"),
        server=MailServer(server, sender="service@clinic.test", plain=True),
    )
    assert outcome == "recipient_invalid"
    assert (mailbox.senders, mailbox.recipients) == ([], [])


@pytest.mark.database("sqlite")
async def test_addresses_in_other_scripts(folder: Path) -> None:
    """A domain is sent in ASCII; another local part needs a server with SMTPUTF8."""
    for able, name, expected in (
        (False, "ada", ("delivered", "delivered")),
        (False, "zoë", ("cancelled", "recipient_unsupported")),
        (True, "zoë", ("delivered", "delivered")),
    ):
        with mail_server(enable_SMTPUTF8=able) as (mailbox, server):
            wanted = {**BOTH, "notify_to": None}
            async with open_service(folder, smtp_url=server, **wanted) as service:
                await post(service.client, body_of(email=f"{name}@bücher.example.com"))
                await service.until_all_are_tried()
                newest = (await service.deliveries())[0]
                assert (newest["state"], newest["attempts"][0]["outcome"]) == expected
                assert not is_failing(service)
            if name == "ada":
                assert mailbox.recipients == ["ada@xn--bcher-kva.example.com"]


def is_failing(service: OpenService) -> bool:
    """The current result of the check `mail`; `/health/ready` stores it for some seconds."""
    with reading(service.engine) as session:
        return is_mail_failing(session)


async def test_failures_are_reported_at_once(folder: Path, log: pytest.LogCaptureFixture) -> None:
    """The first failing e-mail logs a line and fails the check, until an e-mail is sent."""
    port = free_port()
    async with open_service(folder, smtp_url=f"smtp://127.0.0.1:{port}", **BOTH) as service:
        for _ in range(3):
            await post(service.client)
        await service.until_all_are_tried()
        assert await failed_checks(service.client) == ["mail"]
        service.make_retries_due()
        await service.until_all_are_tried(2)
        assert mail_lines(log) == ["e-mail cannot be sent: unreachable"]
        with mail_server(port=port) as (mailbox, _):
            service.make_retries_due()
            await service.until_all_are_tried(3)
            assert len(mailbox.raw) == 6
        assert not is_failing(service)
        assert mail_lines(log) == ["e-mail cannot be sent: unreachable", "e-mail is sent again"]
        assert "example.com" not in log.text
        assert "clinic.test" not in log.text


def mail_lines(log: pytest.LogCaptureFixture) -> list[str]:
    """The log lines about e-mail."""
    return [line for line in log.messages if "e-mail" in line]


async def test_a_wrong_address_fails_no_check(
    folder: Path, mail: tuple[Mailbox, str], log: pytest.LogCaptureFixture
) -> None:
    """A patient's address that does not exist logs nothing: anybody can enter one."""
    mailbox, server = mail
    async with open_service(folder, smtp_url=server, **{**BOTH, "notify_to": None}) as service:
        for mailbox.reply in ("550 Nobody", "450 Domain not found"):
            await post(service.client)
            await service.until_all_are_tried()
            assert not is_failing(service)
        assert mail_lines(log) == []


async def test_a_cancelled_email_fails_no_check(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """The failed check recovers when the e-mail is cancelled by a withdrawal."""
    mailbox, server = mail
    mailbox.reply = "554 Relay access denied"
    async with open_service(folder, smtp_url=server, **{**BOTH, "notify_to": None}) as service:
        accepted = await post(service.client)
        await service.until_tried()
        assert is_failing(service)
        url = f"{PATH}/{accepted.json()['id']}/withdrawal"
        await service.client.post(url, headers=bearer(accepted))
        service.make_retries_due()
        assert (await service.until_tried(2))["state"] == "cancelled"
        assert not is_failing(service)


@pytest.mark.parametrize(
    "changes",
    [
        {"smtp_plain": "other.internal"},
        {"smtp_plain": "mail.internal", "smtp_url": "smtps://mail.internal"},
        {"smtp_plain": "mail.internal", "smtp_url": "smtp://user:secret@mail.internal"},
        {"smtp_plain": "mail.internal", "smtp_url": None},
        {"receipt_url": "https://www.clinic.test/#receipt"},
        {"receipt_url": "www.clinic.test"},
        {"notify_to": "=?utf-8?q?eve?=@clinic.test"},
        {"letters_per_recipient": 0},
    ],
)
def test_invalid_mail_settings(tmp_path: Path, changes: dict[str, object]) -> None:
    """Mail settings that are invalid or contradict each other are refused."""
    wanted = {"smtp_url": "smtp://mail.internal", "mail_from": "service@clinic.test", **changes}
    with pytest.raises(ValidationError):
        settings_in(tmp_path, **wanted)
