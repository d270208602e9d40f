"""Letters to the clinic and to patients: what they say, and how many a mailbox gets."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, select

from data.crypto import header_of
from data.database import writing
from data.operations.upkeep import run_upkeep
from models.clinic import Clinic
from models.delivery import Delivery
from models.sent_letter import SentLetter
from models.values import utc_now
from tests.support.apps import client_of, running
from tests.support.databases import files_of, kind_of, rows_of
from tests.support.intake import PATH, bearer, body_of, count, post
from tests.support.keys import active_of, keys, let_a_minute_pass
from tests.support.receivers import Mailbox, mail_server
from tests.support.staff import INBOX
from tests.support.stage import CANARIES, MAIL, Stage, staged, text_of

RECEIPT_PAGE = "https://www.clinic.test/receipt"
CONFIRMING = {"confirm_to_submitter": True, "receipt_url": RECEIPT_PAGE, **MAIL}
_LINK = re.compile(rf"{re.escape(RECEIPT_PAGE)}#id=([0-9a-f-]{{36}})&token=([\w-]{{43}})")


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


async def test_the_clinic_gets_a_letter(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """It holds the time, a reference and a link to the staff page, and nothing that was typed."""
    mailbox, server = mail
    async with staged(folder, smtp_url=server, notify_to="desk@clinic.test", **MAIL) as stage:
        accepted = await post(stage.client, body_of(**CANARIES))
        request_id = accepted.json()["id"]
        await stage.until(lambda: mailbox.raw)
        assert mailbox.recipients == ["desk@clinic.test"]
        [letter] = mailbox.letters
        assert f"https://api.clinic.test/staff#/requests/{request_id}" in text_of(letter)
        for typed in (*CANARIES.values(), "227-1212", "5032271212", "other"):
            assert typed.encode() not in mailbox.raw[0]
        received_at = datetime.fromisoformat(accepted.json()["received_at"])
        local = f"{received_at.astimezone(ZoneInfo('America/Los_Angeles')):%Y-%m-%d at %H:%M}"
        assert f"{local} (America/Los_Angeles)" in text_of(letter)
        told = await stage.until_tried()
        assert (told["channel"], told["state"]) == ("clinic_email", "delivered")
        assert letter["Message-ID"] == f"<{told['id']}@clinic.test>"
        assert [attempt["outcome"] for attempt in told["attempts"]] == ["delivered"]


async def test_the_submitter_gets_a_letter(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """The clinic can switch it on; it takes an address, and a request that is no spam."""
    mailbox, server = mail
    async with staged(folder, smtp_url=server, confirm_to_submitter=True, **MAIL) as stage:
        await post(stage.client, body_of(email=..., phone="(503) 227-1212"))
        await post(stage.client, body_of(website="https://spam.example"))
        assert count(stage.engine, Delivery) == 0
        accepted = await post(stage.client, body_of(**CANARIES))
        await stage.until(lambda: mailbox.raw)
        assert mailbox.recipients == [CANARIES["email"]]
        text = text_of(mailbox.letters[0])
        assert accepted.json()["id"] in text
        assert "This form is not for emergencies" in text
        for typed in ("Canary-Name", "canary message", "227-1212"):
            assert typed not in mailbox.raw[0].decode()


async def test_a_withdrawal_cancels_the_letter(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """A letter that could not be sent yet is cancelled by the withdrawal."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    async with staged(folder, smtp_url=server, confirm_to_submitter=True, **MAIL) as stage:
        accepted = await post(stage.client)
        assert (await stage.until_tried())["attempts"][0]["outcome"] == "recipient_451"
        mailbox.reply = "250 OK"
        await stage.client.post(
            f"{PATH}/{accepted.json()['id']}/withdrawal", headers=bearer(accepted)
        )
        stage.let_time_pass()
        assert (await stage.until_tried(2))["state"] == "cancelled"
        assert mailbox.recipients == []


@pytest.mark.parametrize("name", ["Riverside Clinic", None])
async def test_the_patients_letter_links_to_the_receipt(
    folder: Path, mail: tuple[Mailbox, str], name: str | None
) -> None:
    """It names the clinic where it has a name, and its link shows and withdraws the request."""
    mailbox, server = mail
    async with staged(folder, smtp_url=server, **CONFIRMING) as stage:
        with writing(stage.engine) as session:
            session.get_one(Clinic, 1).name = name
        accepted = (await post(stage.client, body_of(**CANARIES))).json()
        await stage.until(lambda: mailbox.raw)
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
        assert (await stage.client.get(f"{PATH}/{request_id}", headers=shown)).is_success
        ended = await stage.client.post(f"{PATH}/{request_id}/withdrawal", headers=shown)
        assert ended.json()["state"] == "withdrawn"


async def test_without_a_receipt_page_there_is_no_link(
    folder: Path, mail: tuple[Mailbox, str]
) -> None:
    """The letter then says that the receipt withdraws the request, and holds no token."""
    mailbox, server = mail
    async with staged(folder, smtp_url=server, confirm_to_submitter=True, **MAIL) as stage:
        accepted = (await post(stage.client)).json()
        await stage.until(lambda: mailbox.raw)
        text = text_of(mailbox.letters[0])
        assert "You can withdraw it with your receipt." in text
        assert "#id=" not in text
        assert accepted["receipt_token"] not in text


def sealed_receipts(engine: Engine) -> list[bytes]:
    with Session(engine) as session:
        return [row for row in session.exec(select(Delivery.sealed_receipt)) if row]


@pytest.mark.parametrize("way", ["delivery", "withdrawal", "erasure"])
async def test_the_outbox_keeps_the_receipt_sealed(
    folder: Path, mail: tuple[Mailbox, str], way: str
) -> None:
    """It goes when the letter is delivered, or the request is withdrawn or erased."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    async with staged(folder, smtp_url=server, **CONFIRMING) as stage:
        accepted = await post(stage.client)
        told = await stage.until_tried()
        [sealed] = sealed_receipts(stage.engine)
        looked_at = [rows_of(stage.engine)]
        if kind_of(folder) == "sqlite":
            looked_at += files_of(folder).values()
        for content in looked_at:
            assert accepted.json()["receipt_token"].encode() not in content
        assert "sealed_receipt" not in told
        request_id = accepted.json()["id"]
        match way:
            case "delivery":
                mailbox.reply = "250 OK"
                stage.let_time_pass()
                assert (await stage.until_tried(2))["state"] == "delivered"
            case "withdrawal":
                url = f"{PATH}/{request_id}/withdrawal"
                assert (await stage.client.post(url, headers=bearer(accepted))).is_success
            case "erasure":
                headers = {**stage.staff, "If-Match": '"1"'}
                url = f"{INBOX}/{request_id}"
                assert (await stage.client.delete(url, headers=headers)).is_success
        assert sealed_receipts(stage.engine) == []
        assert sealed not in rows_of(stage.engine)


async def test_a_letter_survives_a_rotation(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """The receipt of a letter that waits is sealed anew, and the old key can be retired."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    async with staged(folder, smtp_url=server, **CONFIRMING) as stage:
        accepted = (await post(stage.client)).json()
        await stage.until_tried()
        old = active_of(folder)
        keys(folder, "add")
        keys(folder, "rotate")
        let_a_minute_pass(stage.engine)
        keys(folder, "retire", old)
        [sealed] = sealed_receipts(stage.engine)
        assert sealed.startswith(header_of(active_of(folder)))
        mailbox.reply = "250 OK"
        stage.let_time_pass()
        await stage.until(lambda: mailbox.raw)
        assert accepted["receipt_token"] in text_of(mailbox.letters[0])


async def outcomes(stage: Stage) -> list[tuple[str, str]]:
    """State and last outcome of each delivery, the first one first."""
    told = await stage.until_all_are_tried()
    return [(one["state"], one["attempts"][-1]["outcome"]) for one in reversed(told)]


async def test_a_mailbox_gets_three_letters_a_day(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """Later ones are cancelled, in whatever spelling, and a withdrawal resets nothing."""
    mailbox, server = mail
    async with staged(folder, smtp_url=server, **CONFIRMING) as stage:
        for written in ("ada.b@example.com", "ADA.B@Example.com", "ada.b+2@example.com"):
            accepted = await post(stage.client, body_of(email=written))
            await stage.until_tried()
        await stage.client.post(
            f"{PATH}/{accepted.json()['id']}/withdrawal", headers=bearer(accepted)
        )
        await post(stage.client, body_of(email="adab+3@example.com"))
        await stage.until_tried()
        await post(stage.client, body_of(email="eve@example.com"))
        assert await outcomes(stage) == [
            *[("delivered", "delivered")] * 3,
            ("cancelled", "recipient_limit"),
            ("delivered", "delivered"),
        ]
        assert len(mailbox.recipients) == 4
        for part in (b"ada.b", b"adab", b"example.com"):
            assert part not in rows_of(stage.engine).lower()

        let_a_day_pass(stage.engine)
        queue = stage.app.state.runtime.write_queue
        await run_upkeep(stage.engine, retention={}, queue=queue)
        assert count(stage.engine, SentLetter) == 0
        await post(stage.client, body_of(email="ada.b@example.com"))
        assert (await outcomes(stage))[-1] == ("delivered", "delivered")


def let_a_day_pass(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(update(SentLetter).values(sent_at=utc_now() - timedelta(hours=24)))


async def test_the_clinic_loses_no_notice(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """The limit is for patients' letters; a letter that waits counts once, whatever it takes."""
    mailbox, server = mail
    mailbox.reply = "451 Later"
    wanted = {"notify_to": "desk@clinic.test", "letters_per_recipient": 1, **CONFIRMING}
    async with staged(folder, smtp_url=server, **wanted) as stage:
        for _ in range(3):
            await post(stage.client, body_of(email="ada@example.com"))
        await stage.until_all_are_tried()
        stage.let_time_pass()
        await stage.until_all_are_tried(2)
        mailbox.reply = "250 OK"
        stage.let_time_pass()
        await stage.until(lambda: len(mailbox.raw) >= 4)
        assert sorted(mailbox.recipients) == ["ada@example.com", *["desk@clinic.test"] * 3]
        told = await stage.deliveries("?state=cancelled")
        assert [one["attempts"][0]["outcome"] for one in told] == ["recipient_limit"] * 2


async def test_processes_count_together(folder: Path, mail: tuple[Mailbox, str]) -> None:
    """Two services on one database send one letter between them where one is allowed."""
    mailbox, server = mail
    wanted = {"letters_per_recipient": 1, **CONFIRMING}
    async with (
        staged(folder, smtp_url=server, **wanted) as stage,
        running(folder, smtp_url=server, **wanted) as other,
        client_of(other) as client,
    ):
        for _ in range(4):
            await post(stage.client)
            await post(client)
        found = await outcomes(stage)
        assert sorted(found) == [
            *[("cancelled", "recipient_limit")] * 7,
            ("delivered", "delivered"),
        ]
        assert mailbox.recipients == ["ada@example.com"]
