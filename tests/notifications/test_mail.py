"""The mail server: TLS, refusals, and how an operator learns that letters do not go out."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from pydantic import ValidationError

from data.database import reading
from data.notifications.mail import Letter, MailServer, send_letter
from data.notifications.mail_health import is_mail_failing
from tests.support.apps import settings_in
from tests.support.certificates import certificate_for
from tests.support.health import failed_checks
from tests.support.intake import PATH, bearer, body_of, post
from tests.support.process import free_port
from tests.support.receivers import Mailbox, mail_server
from tests.support.stage import MAIL, Stage, staged

BOTH = {"notify_to": "desk@clinic.test", "confirm_to_submitter": True, **MAIL}
OVER_TLS = {**BOTH, "smtp_plain": None}


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


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
        # Not about the patient's address, which must not be dropped for it.
        ("554 Relay access denied", "pending", "pending"),
        ("550 5.7.1 Relaying denied", "pending", "pending"),
    ],
)
async def test_a_letter_that_is_refused(
    folder: Path, mail: tuple[Mailbox, str], reply: str, for_clinic: str, for_submitter: str
) -> None:
    """It is tried again, unless it is the patient's own address that does not exist."""
    mailbox, server = mail
    mailbox.reply = reply
    async with staged(folder, smtp_url=server, **BOTH) as stage:
        await post(stage.client)
        told = await stage.until_all_are_tried()
        states = {delivery["channel"]: delivery["state"] for delivery in told}
        assert states == {"clinic_email": for_clinic, "submitter_email": for_submitter}
        mailbox.reply = "250 OK"
        stage.make_retries_due()
        await stage.until(lambda: "desk@clinic.test" in mailbox.recipients)


async def tried(stage: Stage) -> set[tuple[str, str]]:
    """State and outcome of the newest request's letters."""
    told = await stage.until_all_are_tried()
    return {(one["state"], one["attempts"][-1]["outcome"]) for one in told[:2]}


async def test_a_server_without_tls_gets_nothing(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """Neither sender nor recipient is named to it, unless a setting names the server."""
    mailbox, server = mail
    async with staged(folder, smtp_url=server, **OVER_TLS) as stage:
        await post(stage.client)
        assert await tried(stage) == {("pending", "tls_missing")}
        assert (mailbox.senders, mailbox.recipients, mailbox.raw) == ([], [], [])
    async with staged(folder, smtp_url=server, **BOTH) as stage:
        stage.make_retries_due()
        await stage.until(lambda: len(mailbox.raw) == 2)


@pytest.mark.database("sqlite")
async def test_letters_go_over_tls(folder: Path, certificate: Path) -> None:
    """STARTTLS is used before anything is said, and the certificate has to name the host."""
    with mail_server(certificate, require_starttls=True) as (mailbox, server):
        async with staged(folder, smtp_url=server, **OVER_TLS) as stage:
            await post(stage.client)
            assert await tried(stage) == {("pending", "tls_failed")}
            assert mailbox.senders == []
        named = server.replace("127.0.0.1", "localhost")
        async with staged(folder, smtp_url=named, **OVER_TLS) as stage:
            stage.make_retries_due()
            await stage.until(lambda: len(mailbox.raw) == 2)
            assert mailbox.senders == ["service@clinic.test"] * 2


@pytest.mark.database("sqlite")
async def test_a_wrong_password_loses_no_letter(folder: Path, certificate: Path) -> None:
    """A refused login says nothing about a patient's address: the letters are tried again."""

    def refuse(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with mail_server(certificate, authenticator=refuse) as (mailbox, server):
        url = server.replace("//127.0.0.1", "//clinic:wrong@localhost")
        async with staged(folder, smtp_url=url, **OVER_TLS) as stage:
            await post(stage.client)
            assert await tried(stage) == {("pending", "smtp_535")}
            assert mailbox.senders == []
    with mail_server(certificate, auth_exclude_mechanism=["LOGIN", "PLAIN"]) as (mailbox, server):
        url = server.replace("//127.0.0.1", "//clinic:unasked@localhost")
        async with staged(folder, smtp_url=url, **OVER_TLS) as stage:
            await post(stage.client)
            assert await tried(stage) == {("pending", "login_missing")}
            assert mailbox.senders == []


@pytest.mark.parametrize(
    "address",
    ["=?utf-8?q?eve=40evil.example?=@example.com", "ada@example.com\r\nRCPT TO:<eve@evil.example>",
     "ada@example.com\nBcc: eve@evil.example", "ada@example.com, eve@evil.example", "ada", ""],
)  # fmt: skip
def test_an_address_is_judged_before_the_server_hears_it(
    mail: tuple[Mailbox, str], address: str
) -> None:
    """An encoded word, a line break or a second address: nothing is sent."""
    mailbox, server = mail
    outcome = send_letter(
        Letter(address, "Subject", "Text.\n", "key"),
        server=MailServer(server, sender="service@clinic.test", plain=True),
    )
    assert outcome == "recipient_invalid"
    assert (mailbox.senders, mailbox.recipients) == ([], [])


@pytest.mark.database("sqlite")
async def test_addresses_in_other_scripts(folder: Path) -> None:
    """A domain goes as ASCII; a name before the `@` needs a server that can take it."""
    for able, name, expected in (
        (False, "ada", ("delivered", "delivered")),
        (False, "zoë", ("cancelled", "recipient_unsupported")),
        (True, "zoë", ("delivered", "delivered")),
    ):
        with mail_server(enable_SMTPUTF8=able) as (mailbox, server):
            wanted = {**BOTH, "notify_to": None}
            async with staged(folder, smtp_url=server, **wanted) as stage:
                await post(stage.client, body_of(email=f"{name}@bücher.example.com"))
                await stage.until_all_are_tried()
                [told] = (await stage.deliveries())[:1]
                assert (told["state"], told["attempts"][0]["outcome"]) == expected
                assert not is_failing(stage)
            if name == "ada":
                assert mailbox.recipients == ["ada@xn--bcher-kva.example.com"]


def is_failing(stage: Stage) -> bool:
    """What the check `mail` finds; the answer of `/health/ready` is remembered for seconds."""
    with reading(stage.engine) as session:
        return is_mail_failing(session)


async def test_an_operator_learns_at_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first letter that fails writes a line and fails the check, until one is sent."""
    logger = logging.getLogger("clinic_api")
    port = free_port()
    async with staged(folder, smtp_url=f"smtp://127.0.0.1:{port}", **BOTH) as stage:
        logger.addHandler(caplog.handler)
        for _ in range(3):
            await post(stage.client)
        await stage.until_all_are_tried()
        assert await failed_checks(stage.client) == ["mail"]
        stage.make_retries_due()
        await stage.until_all_are_tried(2)
        assert told_of_mail(caplog) == ["e-mail cannot be sent: unreachable"]
        with mail_server(port=port) as (mailbox, _):
            stage.make_retries_due()
            await stage.until_all_are_tried(3)
            assert len(mailbox.raw) == 6
        assert not is_failing(stage)
        logger.removeHandler(caplog.handler)
        assert told_of_mail(caplog) == [
            "e-mail cannot be sent: unreachable",
            "e-mail is sent again",
        ]
        assert "example.com" not in caplog.text
        assert "clinic.test" not in caplog.text


def told_of_mail(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "e-mail" in line]


async def test_a_patients_address_raises_no_alarm(
    folder: Path, mail: tuple[Mailbox, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise a stranger could raise it with an address that does not exist."""
    mailbox, server = mail
    logger = logging.getLogger("clinic_api")
    async with staged(folder, smtp_url=server, **{**BOTH, "notify_to": None}) as stage:
        logger.addHandler(caplog.handler)
        for mailbox.reply in ("550 Nobody", "450 Domain not found"):
            await post(stage.client)
            await stage.until_all_are_tried()
            assert not is_failing(stage)
        logger.removeHandler(caplog.handler)
        assert told_of_mail(caplog) == []


async def test_the_alarm_ends_with_the_letter(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """A letter that will not be sent any more, its request being withdrawn, fails no check."""
    mailbox, server = mail
    mailbox.reply = "554 Relay access denied"
    async with staged(folder, smtp_url=server, **{**BOTH, "notify_to": None}) as stage:
        accepted = await post(stage.client)
        await stage.until_tried()
        assert is_failing(stage)
        url = f"{PATH}/{accepted.json()['id']}/withdrawal"
        await stage.client.post(url, headers=bearer(accepted))
        stage.make_retries_due()
        assert (await stage.until_tried(2))["state"] == "cancelled"
        assert not is_failing(stage)


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
def test_settings_that_cannot_be_meant(tmp_path: Path, changes: dict[str, object]) -> None:
    """They are a reason not to start: a plain server that is not the server, a password for it."""
    wanted = {"smtp_url": "smtp://mail.internal", "mail_from": "service@clinic.test", **changes}
    with pytest.raises(ValidationError):
        settings_in(tmp_path, **wanted)
