"""E-mails to the clinic and to patients: their content, and their limit for each mailbox."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, select

from data.crypto import header_of
from data.operations.upkeep import run_upkeep
from models.delivery import Delivery
from models.sent_letter import SentLetter
from models.values import utc_now
from tests.support.apps import client_of, running
from tests.support.clinic import TIME_ZONE
from tests.support.databases import files_of, kind_of, rows_of
from tests.support.documents import publish
from tests.support.intake import PATH, bearer, body_of, count, post
from tests.support.keys import active_key, keys, let_a_minute_pass
from tests.support.open_service import CANARIES, MAIL, OpenService, open_service, text_of
from tests.support.receivers import Mailbox
from tests.support.staff import INBOX

RECEIPT_PAGE = "https://www.clinic.test/receipt"
CONFIRMING = {"confirm_to_submitter": True, "receipt_url": RECEIPT_PAGE, **MAIL}
_LINK = re.compile(rf"{re.escape(RECEIPT_PAGE)}#id=([0-9a-f-]{{36}})&token=([\w-]{{43}})")


async def test_the_clinic_gets_an_email(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """The clinic's e-mail has the time, an id and a link, and nothing that was typed."""
    mailbox, server = mail
    async with open_service(
        folder, smtp_url=server, notify_to="desk@clinic.test", **MAIL
    ) as service:
        accepted = await post(service.client, body_of(**CANARIES))
        request_id = accepted.json()["id"]
        await service.until(lambda: mailbox.raw)
        assert mailbox.recipients == ["desk@clinic.test"]
        [letter] = mailbox.letters
        assert f"https://api.clinic.test/staff#/requests/{request_id}" in text_of(letter)
        for typed in (*CANARIES.values(), "227-1212", "5032271212", "other"):
            assert typed.encode() not in mailbox.raw[0]
        received_at = datetime.fromisoformat(accepted.json()["received_at"])
        local = f"{received_at.astimezone(ZoneInfo(TIME_ZONE)):%Y-%m-%d at %H:%M}"
        assert f"{local} ({TIME_ZONE})" in text_of(letter)
        delivery = await service.until_tried()
        assert (delivery["channel"], delivery["state"]) == ("clinic_email", "delivered")
        assert letter["Message-ID"] == f"<{delivery['id']}@clinic.test>"
        assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["delivered"]


async def test_the_submitter_gets_an_email(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """If switched on, each patient with an address gets an e-mail, unless spam is suspected."""
    mailbox, server = mail
    async with open_service(folder, smtp_url=server, confirm_to_submitter=True, **MAIL) as service:
        await post(service.client, body_of(email=..., phone="(503) 227-1212"))
        await post(service.client, body_of(website="https://spam.example"))
        assert count(service.engine, Delivery) == 0
        accepted = await post(service.client, body_of(**CANARIES))
        await service.until(lambda: mailbox.raw)
        assert mailbox.recipients == [CANARIES["email"]]
        text = text_of(mailbox.letters[0])
        assert accepted.json()["id"] in text
        assert "Do not use this form for an emergency." in text
        for typed in ("Canary-Name", "canary message", "227-1212"):
            assert typed not in mailbox.raw[0].decode()


async def test_a_withdrawal_cancels_the_email(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """A withdrawal cancels an e-mail that could not be sent yet."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    async with open_service(folder, smtp_url=server, confirm_to_submitter=True, **MAIL) as service:
        accepted = await post(service.client)
        assert (await service.until_tried())["attempts"][0]["outcome"] == "recipient_451"
        mailbox.reply = "250 OK"
        await service.client.post(
            f"{PATH}/{accepted.json()['id']}/withdrawal", headers=bearer(accepted)
        )
        service.make_retries_due()
        assert (await service.until_tried(2))["state"] == "cancelled"
        assert mailbox.recipients == []


@pytest.mark.parametrize("name", ["Riverside Clinic", None])
async def test_the_email_links_to_the_receipt(
    folder: Path, mail: tuple[Mailbox, str], name: str | None
) -> None:
    """The patient's e-mail names the clinic, and its link can show and withdraw the request."""
    mailbox, server = mail
    async with open_service(folder, smtp_url=server, **CONFIRMING) as service:
        publish(service.engine, "clinic", name=name)
        accepted = (await post(service.client, body_of(**CANARIES))).json()
        await service.until(lambda: mailbox.raw)
        [letter] = mailbox.letters
        text = text_of(letter)
        assert text.startswith(
            f"Thank you for your request to {name}." if name else "Thank you for your request."
        )
        assert "None" not in text
        assert (letter["Subject"], letter["From"]) == (
            "Your request was received",
            "service@clinic.test",
        )
        [(request_id, token)] = _LINK.findall(text)
        assert (request_id, token) == (accepted["id"], accepted["receipt_token"])
        shown = {"Authorization": f"Bearer {token}"}
        assert (await service.client.get(f"{PATH}/{request_id}", headers=shown)).is_success
        ended = await service.client.post(f"{PATH}/{request_id}/withdrawal", headers=shown)
        assert ended.json()["state"] == "withdrawn"


async def test_without_a_receipt_page_there_is_no_link(
    folder: Path, mail: tuple[Mailbox, str]
) -> None:
    """Without a receipt page the e-mail contains neither a link nor the token."""
    mailbox, server = mail
    async with open_service(folder, smtp_url=server, confirm_to_submitter=True, **MAIL) as service:
        accepted = (await post(service.client)).json()
        await service.until(lambda: mailbox.raw)
        text = text_of(mailbox.letters[0])
        assert "You can withdraw it with your receipt." in text
        assert "#id=" not in text
        assert accepted["receipt_token"] not in text


def sealed_receipts(engine: Engine) -> list[bytes]:
    with Session(engine) as session:
        return [row for row in session.exec(select(Delivery.sealed_receipt)) if row]


@pytest.mark.parametrize("way", ["delivery", "withdrawal", "erasure"])
async def test_the_receipt_is_sealed_in_the_outbox(
    folder: Path, mail: tuple[Mailbox, str], way: str
) -> None:
    """The outbox has the receipt token sealed, until delivery, withdrawal or erasure."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    async with open_service(folder, smtp_url=server, **CONFIRMING) as service:
        accepted = await post(service.client)
        delivery = await service.until_tried()
        [sealed] = sealed_receipts(service.engine)
        searched = [rows_of(service.engine)]
        if kind_of(folder) == "sqlite":
            searched += files_of(folder).values()
        for content in searched:
            assert accepted.json()["receipt_token"].encode() not in content
        assert "sealed_receipt" not in delivery
        request_id = accepted.json()["id"]
        match way:
            case "delivery":
                mailbox.reply = "250 OK"
                service.make_retries_due()
                assert (await service.until_tried(2))["state"] == "delivered"
            case "withdrawal":
                url = f"{PATH}/{request_id}/withdrawal"
                assert (await service.client.post(url, headers=bearer(accepted))).is_success
            case "erasure":
                headers = {**service.staff, "If-Match": '"1"'}
                url = f"{INBOX}/{request_id}"
                assert (await service.client.delete(url, headers=headers)).is_success
        assert sealed_receipts(service.engine) == []
        assert sealed not in rows_of(service.engine)


async def test_an_email_survives_a_key_rotation(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """A key rotation reseals the receipt of a pending e-mail, so the old key can be retired."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    async with open_service(folder, smtp_url=server, **CONFIRMING) as service:
        accepted = (await post(service.client)).json()
        await service.until_tried()
        old = active_key(folder)
        keys(folder, "add")
        keys(folder, "rotate")
        let_a_minute_pass(service.engine)
        keys(folder, "retire", old)
        [sealed] = sealed_receipts(service.engine)
        assert sealed.startswith(header_of(active_key(folder)))
        mailbox.reply = "250 OK"
        service.make_retries_due()
        await service.until(lambda: mailbox.raw)
        assert accepted["receipt_token"] in text_of(mailbox.letters[0])


async def outcomes(service: OpenService) -> list[tuple[str, str]]:
    """State and last outcome of each delivery, the oldest first."""
    deliveries = await service.until_all_are_tried()
    return [(one["state"], one["attempts"][-1]["outcome"]) for one in reversed(deliveries)]


async def test_a_mailbox_gets_three_emails_a_day(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """Three e-mails a day reach a mailbox, whatever the spelling and despite withdrawals."""
    mailbox, server = mail
    async with open_service(folder, smtp_url=server, **CONFIRMING) as service:
        for written in ("ada.b@example.com", "ADA.B@Example.com", "ada.b+2@example.com"):
            accepted = await post(service.client, body_of(email=written))
            await service.until_tried()
        await service.client.post(
            f"{PATH}/{accepted.json()['id']}/withdrawal", headers=bearer(accepted)
        )
        await post(service.client, body_of(email="adab+3@example.com"))
        await service.until_tried()
        await post(service.client, body_of(email="eve@example.com"))
        assert await outcomes(service) == [
            *[("delivered", "delivered")] * 3,
            ("cancelled", "recipient_limit"),
            ("delivered", "delivered"),
        ]
        assert len(mailbox.recipients) == 4
        for part in (b"ada.b", b"adab@", b"adab+", b"example.com"):
            assert part not in rows_of(service.engine).lower()

        let_a_day_pass(service.engine)
        queue = service.app.state.runtime.write_queue
        await run_upkeep(service.engine, retention={}, queue=queue)
        assert count(service.engine, SentLetter) == 0
        await post(service.client, body_of(email="ada.b@example.com"))
        assert (await outcomes(service))[-1] == ("delivered", "delivered")


def let_a_day_pass(engine: Engine) -> None:
    """Sets the time of every sent e-mail to 24 hours ago."""
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(update(SentLetter).values(sent_at=utc_now() - timedelta(hours=24)))


async def test_the_limit_does_not_apply_to_the_clinic(
    folder: Path, mail: tuple[Mailbox, str]
) -> None:
    """The limit does not apply to the clinic; a pending e-mail counts once, not per attempt."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    wanted = {"notify_to": "desk@clinic.test", "letters_per_recipient": 1, **CONFIRMING}
    async with open_service(folder, smtp_url=server, **wanted) as service:
        for _ in range(3):
            await post(service.client, body_of(email="ada@example.com"))
        await service.until_all_are_tried()
        service.make_retries_due()
        await service.until_all_are_tried(2)
        mailbox.reply = "250 OK"
        service.make_retries_due()
        await service.until(lambda: len(mailbox.raw) >= 4)
        assert sorted(mailbox.recipients) == ["ada@example.com", *["desk@clinic.test"] * 3]
        cancelled = await service.deliveries("?state=cancelled")
        assert [one["attempts"][0]["outcome"] for one in cancelled] == ["recipient_limit"] * 2


async def test_processes_share_the_limit(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """Two services with one database share the limit."""
    mailbox, server = mail
    wanted = {"letters_per_recipient": 1, **CONFIRMING}
    async with (
        open_service(folder, smtp_url=server, **wanted) as service,
        running(folder, smtp_url=server, **wanted) as other,
        client_of(other) as client,
    ):
        for _ in range(4):
            await post(service.client)
            await post(client)
        found = await outcomes(service)
        assert sorted(found) == [
            *[("cancelled", "recipient_limit")] * 7,
            ("delivered", "delivered"),
        ]
        assert mailbox.recipients == ["ada@example.com"]
