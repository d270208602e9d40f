"""A dental clinic in Sevilla adopts the service: from new files to a request, on both databases."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.adoption import Adopted, adopted_in
from tests.support.content_folders import edit
from tests.support.databases import own_database
from tests.support.intake import PATH, bearer, problem
from tests.support.staff import INBOX, STAFF
from tests.support.waiting import wait_for

ZONE = ZoneInfo("Europe/Madrid")
HISTORY = "/v1/faqs/mi-historia-clinica"


@pytest.fixture(scope="module")
def adopted(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Adopted]:
    """The clinic, which the tests share: each leaves it open."""
    folder = tmp_path_factory.mktemp("adopted")
    with own_database(database_kind, request, folder), adopted_in(folder) as clinic:
        yield clinic


def test_the_clinic_is_read_in_its_own_words(adopted: Adopted) -> None:
    """Status, texts, clinic and form are the clinic's, and in Spanish."""
    status = adopted.read("/v1/status")
    assert (status["state"], status["headline"]) == ("open", "La clínica está abierta")
    assert (status["locale"], status["consultations"]["message"]) == ("es-ES", None)
    assert status["safety_resources"][0]["contact"] == "112"

    sections = adopted.read("/v1/sections")["data"]
    assert [section["slug"] for section in sections] == [
        "primera-visita", "cuidado-diario", "ortodoncia", "pedir-cita",
    ]  # fmt: skip
    assert "<strong>qué le duele</strong>" in sections[0]["body"]["html"]
    assert sections[0]["published_at"].startswith("2026-01-1")
    assert (sections[0]["review"]["status"], sections[2]["published_at"]) == ("current", None)
    assert sections[3]["call_to_action"] == {
        "label": "Pedir cita", "enabled": True, "disabled_reason": None,
    }  # fmt: skip
    moved = adopted.client.get("/v1/sections/antes-de-venir")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/v1/sections/primera-visita")

    faqs = adopted.read("/v1/faqs")
    assert [topic["name"] for topic in faqs["meta"]["topics"]] == [
        "Citas", "Cuidados en casa", "Tratamientos",
    ]  # fmt: skip
    answers = {faq["slug"]: faq["answer"]["text"] for faq in faqs["data"]}
    assert answers["esta-abierta"] == "Sí. La clínica está abierta."
    assert answers["puedo-pedir-cita"] == 'Sí. Use el botón "Pedir cita".'
    assert "mi-historia-clinica" not in answers
    problem(adopted.client.get(HISTORY), 404, "not-found")
    assert adopted.read("/v1/faqs?answered=false")["data"][0]["slug"] == "cuanto-cuesta"

    form = adopted.read(f"{PATH}/form")
    fields = form["schema"]["properties"]
    assert [topic["title"] for topic in fields["topic"]["oneOf"]] == [
        "Revisión", "Caries", "Ortodoncia", "Urgencia", "Otro",
    ]  # fmt: skip
    assert [q["title"] for q in fields["answers"]["properties"].values()] == [
        "¿Es su primera visita?", "¿Tiene seguro dental?",
    ]  # fmt: skip
    assert [(c["purpose"], c["required"]) for c in form["consents"]] == [
        ("contacto", True), ("recordatorios", False),
    ]  # fmt: skip
    assert form["safety_notice"].startswith("Este formulario no es para urgencias graves.")
    assert (form["accepting"], form["locale"]) == (True, "es-ES")


def test_holidays_move_the_opening(adopted: Adopted) -> None:
    """`opening` follows the clinic's hours in its time zone, and its holidays once pushed."""
    clinic = adopted.read("/v1/clinic")
    assert (clinic["name"], clinic["country"]) == ("Clínica Dental Ejemplo", "ES")
    usual = {(hours["day"], hours["opens"][:5]) for hours in clinic["opening_hours"]}
    assert ("saturday", "10:00") in usual
    assert all(date.fromisoformat(day["on"]) >= today() for day in clinic["special_hours"])
    opens, closes = (local(clinic["opening"][name]) for name in ("opens_at", "closes_at"))
    special = {day["on"] for day in clinic["special_hours"]}
    assert (f"{opens:%A}".lower(), f"{opens:%H:%M}") in usual or str(opens.date()) in special
    assert closes > datetime.now(ZONE)

    first = today()
    days = [first + timedelta(days=number) for number in range(4)]
    holidays = [f"  - {{on: {day}, closed: true, note: Feria}}\n" for day in days[:3]]
    text = (adopted.files / "clinic.yaml").read_text(encoding="utf-8")
    hours = text[text.index("special_hours:\n") : text.index("treatments:\n")]
    opened = f'  - {{on: {days[3]}, opens: "11:00", closes: "12:30", note: Puente}}\n'
    edit(adopted.files, "clinic.yaml", hours, "".join(["special_hours:\n", *holidays, opened]))
    pushed = adopted.command("content", "push", str(adopted.files))
    assert pushed == "clinic: changed (special_hours)\nPushed.\n"
    wait_for(lambda: adopted.read("/v1/clinic")["special_hours"][-1]["note"] == "Puente")
    opening = adopted.read("/v1/clinic")["opening"]
    assert [f"{local(opening[name]):%Y-%m-%d %H:%M}" for name in ("opens_at", "closes_at")] == [
        f"{days[3]} 11:00", f"{days[3]} 12:30",
    ]  # fmt: skip


def today() -> date:
    return datetime.now(ZONE).date()


def local(instant: str) -> datetime:
    """An instant as the clock in Sevilla shows it."""
    return datetime.fromisoformat(instant).astimezone(ZONE)


def test_a_request_in_the_clinics_words(adopted: Adopted) -> None:
    """A patient reads the clinic's sentences, and its staff the labels that the patient saw."""
    wrong = {"phone": "12", "topic": "depression", "answers": {}, "consent_to_contact": False}
    refused = problem(adopted.ask(**wrong), 422, "invalid-request")
    assert [(fault["code"], fault["detail"]) for fault in refused["errors"]] == [
        ("phone.invalid", "Revise el teléfono."),
        ("topic.invalid", "Elija uno de los motivos que se ofrecen."),
        ("primera_visita.required", "Diga si es su primera visita."),
        ("consent_to_contact.required", "Sin este permiso no podemos atender su solicitud."),
    ]

    accepted = adopted.ask(email="ana@example.com")
    assert accepted.status_code == 201, accepted.text
    receipt = f"{PATH}/{accepted.json()['id']}"
    shown = adopted.client.get(receipt, headers=bearer(accepted)).json()
    assert shown["next_step"]["text"] == (
        "Hemos recibido su solicitud. Puede retirarla con el resguardo."
    )

    staff, request_id = adopted.staff(), accepted.json()["id"]
    request = adopted.client.get(f"{INBOX}/{request_id}", headers=staff).json()
    assert request["sent"]["phone"] == "+34954123456"
    assert {value["label"]: value["value"] for value in request["sent"]["shown"]} == {
        "Nombre y apellidos": "Lucía Ejemplo",
        "Teléfono": "+34954123456",
        "Correo electrónico": "ana@example.com",
        "¿Cuándo podemos llamarle?": "Por la tarde",
        "Motivo de la consulta": "Caries",
        "Mensaje": "Me duele una muela.",
        "¿Es su primera visita?": "No es la primera",
        "¿Tiene seguro dental?": "Mutua",
    }
    assert [consent["text"] for consent in request["consents"]] == [
        "La clínica puede usar estos datos para responder a mi solicitud, y para nada más.",
        "La clínica puede enviarme recordatorios de mis citas.",
    ]
    exported = adopted.client.get(f"{INBOX}/export", headers=staff).text
    [row] = [row for row in csv.DictReader(io.StringIO(exported)) if row["id"] == request_id]
    assert row["name"] == "Lucía Ejemplo"
    assert (
        row["answers"] == "¿Es su primera visita?: No es la primera\n¿Tiene seguro dental?: Mutua"
    )

    wait_for(lambda: {"recepcion@dental.example", "ana@example.com"} <= set(adopted.letters()))
    letters = adopted.letters()
    assert "(Europe/Madrid)" in letters["recepcion@dental.example"]
    assert "Clínica Dental Ejemplo" in letters["ana@example.com"]
    assert "Este formulario no es para urgencias graves." in letters["ana@example.com"]

    withdrawn = adopted.client.post(f"{receipt}/withdrawal", headers=bearer(accepted)).json()
    assert withdrawn["next_step"]["text"].startswith("Ha retirado su solicitud")
    assert adopted.client.get(f"{INBOX}/{request_id}", headers=staff).json()["sent"] is None


def test_a_changed_form_is_pushed(adopted: Adopted) -> None:
    """After a push the form has its next version, and a page with the old one can still send."""
    edit(
        adopted.files,
        "form.yaml",
        "  - {value: caries, label: Caries}\n",
        "  - {value: implantes, label: Implantes}\n",
    )
    pushed = adopted.command("content", "push", str(adopted.files))
    assert pushed == "form: changed (topics)\nPushed.\n"
    wait_for(lambda: adopted.read(f"{PATH}/form")["version"] == 2)
    old, new = adopted.ask(), adopted.ask(topic="implantes", form_version=2)
    assert (old.status_code, new.status_code) == (201, 201)
    crossed = problem(adopted.ask(form_version=2), 422, "invalid-request")
    assert [fault["code"] for fault in crossed["errors"]] == ["topic.invalid"]
    staff = adopted.staff()
    topics = [
        next(v["value"] for v in request["sent"]["shown"] if v["name"] == "topic")
        for request in (
            adopted.client.get(f"{INBOX}/{sent.json()['id']}", headers=staff).json()
            for sent in (old, new)
        )
    ]
    assert topics == ["Caries", "Implantes"]


def test_the_clinic_takes_fewer_requests_and_none(adopted: Adopted) -> None:
    """Waiting list, pause and closure change answers, buttons and which texts are shown."""
    staff = adopted.staff()

    def change(**change: str) -> None:
        done = adopted.client.post(f"{STAFF}/status-changes", json=change, headers=staff)
        assert done.status_code == 201, done.text

    def answers() -> tuple[str, str]:
        texts = (adopted.read(f"/v1/faqs/{slug}") for slug in ("esta-abierta", "puedo-pedir-cita"))
        is_open, may_ask = (text["answer"]["text"] for text in texts)
        return is_open, may_ask

    change(state="open", mode="waitlist")
    assert answers() == (
        "Sí. La clínica está abierta.",
        'Sí, para la lista de espera. Use el botón "Pedir cita".',
    )
    assert adopted.read("/v1/status")["consultations"]["message"].startswith("La agenda está llena")
    assert adopted.ask().json()["next_step"]["text"] == "Su solicitud está en la lista de espera."

    change(state="open", mode="paused")
    assert answers() == ("Sí. La clínica está abierta.", "Ahora no. No se admiten solicitudes.")
    problem(adopted.ask(), 409, "intake-paused")
    assert adopted.read("/v1/clinic")["opening"] is not None

    change(state="temporarily_closed")
    assert answers()[0] == "Ahora no. La clínica está cerrada por un tiempo."
    assert adopted.read(HISTORY)["answer"]["text"].startswith("Escriba a historias@dental.example")
    section = adopted.read("/v1/sections/pedir-cita")
    assert section["body"]["text"].startswith("La clínica está cerrada por un tiempo. Cuando")
    assert section["notices"][0]["slug"] == "clinic-status"
    assert (section["call_to_action"]["enabled"], adopted.read("/v1/clinic")["opening"]) == (
        False,
        None,
    )

    change(state="open", mode="open")
    problem(adopted.client.get(HISTORY), 404, "not-found")
    assert adopted.ask().status_code == 201
