"""The faults of a form: each is reported with its path, and all of them at once."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.consultation_form import FormContent
from tests.support.clinic import CLINIC
from tests.support.commands import invoke
from tests.support.forms import QUESTIONS, REMINDERS, SEVILLA, form_document, with_questions

Document = dict[str, Any]
Change = Callable[[Document], object]


def form() -> Document:
    """A form without faults that has a question of each type."""
    return copy.deepcopy(with_questions(form_document()))


def checked(folder: Path, document: Document) -> list[str]:
    """The faults of a form as `check` reports them, without file and line."""
    shutil.copytree(CLINIC, folder / "content")
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    (folder / "content" / "form.yaml").write_text(text, encoding="utf-8")
    lines = invoke("content", "check", str(folder / "content"), folder=folder).stderr.splitlines()
    assert all(line.startswith("form.yaml:") for line in lines)
    return [line.split(": ", 1)[1] for line in lines]


def question(document: Document, name: str) -> Document:
    [found] = [one for one in document["questions"] if one["name"] == name]
    return found  # type: ignore[no-any-return] # the document is untyped


def renamed(name: str) -> Change:
    return lambda form: question(form, "smoker").update(name=name)


FAULTS: list[tuple[Change, str]] = [
    (renamed("age"), "questions.5.name: another question or consent has this name"),
    (renamed("reminders"), "questions.2.name: another question or consent has this name"),
    *((renamed(name), "questions.2.name: this name is reserved") for name in (
        "name", "email", "phone", "preferred_contact", "may_leave_voicemail", "best_time", "topic",
        "message", "answers", "consents", "form_version", "locale", "website",
        "seconds_to_complete", "body", "question", "consent", "constructor", "prototype",
        "__proto__")),
    (renamed("consent_to_contact"), "questions.2.name: another question or consent"),
    *((renamed(name), "questions.2.name: String should match") for name in (
        "Smoker", "a" * 41, "a1", "a-b", "ñ", "a\n")),
    (lambda form: form["consents"][1].update(field="topic"), "consents.1.field: this name is res"),
    (lambda form: form["consents"].append(REMINDERS), "consents.2.field: another question"),
    (lambda form: form["consents"].reverse(), "consents.0.field: the first consent must be"),
    (lambda form: form["consents"].pop(0), "consents.0.field: the first consent must be"),
    (lambda form: form["consents"][0].update(required=False), "consents.0.required: must be true"),
    (lambda form: form["consents"][0].update(version=0), "consents.0.version: Input should be"),
    (lambda form: form["topics"][1].update(value="depression"), "topics.1.value: another topic"),
    (lambda form: form["topics"][1].update(value="Two words"), "topics.1.value: String should"),
    (lambda form: form.update(topics=[]), "topics: List should have at least 1 item"),
    (lambda form: question(form, "pains")["choices"][1].update(value="knee"),
     "questions.1.choices.1.value: another choice has this value"),
    (lambda form: question(form, "sport").update(choices=[]), "questions.0.choices: List should"),
    (lambda form: question(form, "sport").pop("choices"), "questions.0.choices: is missing"),
    (lambda form: question(form, "age").update(choices=[]), "questions.5.choices: a question of"),
    (lambda form: question(form, "age").update(max_length=3), "questions.5.max_length: a quest"),
    (lambda form: question(form, "doctor").update(minimum=3), "questions.3.minimum: a question"),
    (lambda form: question(form, "doctor").update(max_length=201), "questions.3.max_length: must"),
    (lambda form: question(form, "age").update(minimum=121), "questions.5.maximum: must not be"),
    (lambda form: question(form, "age").update(minimum=float("inf")), "questions.5.minimum"),
    (lambda form: question(form, "age").update(minimum=float("nan")), "questions.5.minimum"),
    (lambda form: question(form, "age").update(type="age"), "questions.5.type: Input should be"),
    (lambda form: question(form, "smoker").update(choices=[{"value": True, "label": "Yes"}]),
     "questions.2.choices.0.value: Input should be a valid string"),
    (lambda form: question(form, "smoker").update(choices=[{"value": "yes", "label": "Yes"}]),
     'questions.2.choices: must be "yes" and "no", in quotes'),
    (lambda form: question(form, "age").update(label=""), "questions.5.label: Field required"),
    (lambda form: question(form, "age").update(label="a\u202eb"), "questions.5.label: invalid"),
    (lambda form: question(form, "age").update(unit="years"), "questions.5.unit: Extra inputs"),
    (lambda form: form["fields"].pop("name"), "fields.name: is missing"),
    (lambda form: form["fields"].pop("topic"), "fields.topic: is missing"),
    (lambda form: form["fields"].update(fax=form["fields"]["phone"]), "fields.fax: is not known"),
    (lambda form: form["fields"].update(consent_to_contact=form["fields"]["name"]),
     "fields.consent_to_contact: is not known"),
    (lambda form: [form["fields"].pop(name) for name in ("email", "phone")],
     "fields: asks for neither `email` nor `phone`"),
    (lambda form: form["fields"].pop("email"), "fields.phone.required: every request needs"),
    (lambda form: form["fields"]["name"].update(required=False), "fields.name.required: every"),
    (lambda form: form["fields"]["topic"].pop("required"), "fields.topic.required: every request"),
    (lambda form: form["fields"]["best_time"].pop("choices"), "fields.best_time.choices: is miss"),
    (lambda form: form["fields"]["best_time"]["choices"][0].update(value="night"),
     "fields.best_time.choices.0.value: is not one of morning, afternoon, evening, any"),
    (lambda form: form["fields"]["best_time"]["choices"][0].update(value="any"),
     "fields.best_time.choices.3.value: another choice has this value"),
    (lambda form: form["fields"]["name"].update(choices=[{"value": "x", "label": "X"}]),
     "fields.name.choices: `name` has no choices here"),
    (lambda form: form["messages"].pop("name.required"), "messages.name.required: is missing"),
    (lambda form: form["messages"].pop("body.wrong_type"), "messages.body.wrong_type: is missing"),
    (lambda form: form["fields"]["best_time"].update(required=True),
     "messages.best_time.required: is missing"),
    (lambda form: form["messages"].update({"fax.required": "x"}), "messages.fax.required: is not"),
    (lambda form: form["messages"].update({"age.wrong": "x"}), "messages.age.wrong: is not known"),
    (lambda form: form["messages"].update({"name.required": ""}), "messages.name.required: String"),
    (lambda form: form["next_steps"].pop("received"), "next_steps.received: is missing"),
    (lambda form: form["next_steps"].update(lost="x"), "next_steps.lost: is not known"),
    (lambda form: form.update(version=1), "version: Extra inputs are not permitted"),
    (lambda form: form.update(choices={}), "choices: Extra inputs are not permitted"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), FAULTS)
def test_each_fault_has_its_path(tmp_path: Path, change: Change, expected: str) -> None:
    """A fault of the form is reported with its path and the reason."""
    document = form()
    change(document)
    assert any(line.startswith(expected) for line in checked(tmp_path, document))


def test_a_form_has_one_line_for_one_fault(tmp_path: Path) -> None:
    """A question with a reserved name is one fault, not several."""
    document = form()
    renamed("constructor")(document)
    assert checked(tmp_path, document) == ["questions.2.name: this name is reserved"]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Faults of single fields do not hide faults between fields."""
    document = form()
    document["safety_notice"] = 7
    question(document, "age")["label"] = "x" * 201
    question(document, "weight")["name"] = "age"
    document["topics"][0]["value"] = document["topics"][1]["value"]
    del document["messages"]["email.invalid"]
    del document["next_steps"]
    assert [line.split(":")[0] for line in checked(tmp_path, document)] == [
        "next_steps", "safety_notice", "topics.1.value", "questions.5.label", "questions.6.name",
        "messages.email.invalid",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"fields": []}, {"fields": {1: {}}}, {"fields": {"name": 1, None: 2}},
        {"questions": {"name": 1}}, {"questions": [1, [], {"name": ["x"], "type": ["x"]}]},
        {"consents": "x"}, {"consents": [{"field": {"a": 1}}]}, {"topics": [{"value": [1]}]},
        {"messages": {True: "x"}}, {"next_steps": ["x"]},
    ],
)  # fmt: skip
def test_a_form_of_another_shape(tmp_path: Path, broken: Document) -> None:
    """Values of any type are faults, and never an error of the program."""
    assert checked(tmp_path, {**form(), **broken} if broken else {"x": 1})


@pytest.mark.parametrize("folder", [CLINIC, SEVILLA])
def test_a_form_stays_the_same_through_json(folder: Path) -> None:
    """A form written as JSON and read again is equal, and its fields keep their order."""
    content = FormContent.model_validate(form_document(folder))
    again = FormContent.model_validate_json(content.model_dump_json())
    assert again == content
    assert list(again.fields) == list(content.fields)
    assert again.model_dump_json() == content.model_dump_json()


def test_messages_of_questions_can_be_replaced(tmp_path: Path) -> None:
    """A form may have messages for all questions, for one question, and for the other codes."""
    document = form()
    document["messages"] |= {
        "question.required": "x", "consent.wrong_type": "x", "age.too_small": "x",
        "reminders.required": "x", "answers.wrong_type": "x", "locale.invalid": "x",
    }  # fmt: skip
    assert checked(tmp_path, document) == []


def test_the_types_of_questions_are_all_tested() -> None:
    """The form of these tests has a question of each type."""
    assert {one["type"] for one in QUESTIONS} == {
        "choice", "choices", "yes_no", "short_text", "long_text", "number", "date",
    }  # fmt: skip
