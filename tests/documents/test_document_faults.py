"""The faults of a document's content: pointers, codes, and nothing that was typed."""

import json
import secrets
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.document import SCHEMAS, operations
from tests.support.editing import DOCUMENTS, SECTION, Desk, path_of
from tests.support.intake import faults, problem

EXERCISES = path_of("section", "exercises")
TAGS = set(SCHEMAS["Kind"]["enum"])
FAQ = {"question": "A question?", "position": 3, "topic": "visits", "answer": "An answer."}
CLINIC = {"locality": "X", "region": "Y", "country": "US", "time_zone": "UTC", "locales": ["en-US"]}

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("#/kind", "kind.required")]),
        ({"kind": None}, [("#/kind", "kind.invalid")]),
        ({"kind": "poem"}, [("#/kind", "kind.invalid")]),
        ({"kind": ["section"]}, [("#/kind", "kind.invalid")]),
        ([], [("#", "body.wrong_type")]),
        ({"kind": "section"}, [("#/content", "content.required")]),
        ({"kind": "section", "content": 5}, [("#/content", "content.wrong_type")]),
        ({"kind": "section", "content": SECTION, "id": 1}, [("#/id", "body.unknown_field")]),
        ({"kind": "section", "content": SECTION, "note": "a\0"}, [("#/note", "note.invalid")]),
        ({"kind": "faq", "content": FAQ}, [("#/kind", "kind.mismatch")]),
    ],
)
async def test_faults_around_the_content(
    desk: Desk, body: object, expected: list[tuple[str, str]]
) -> None:
    """A body without a known kind has one fault; others have their pointer and their code."""
    answer = await desk.write("PUT", EXERCISES, body, of=EXERCISES)
    assert faults(answer) == expected


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        (
            "section",
            {},
            ["title.required", "summary.required", "position.required"],
        ),
        (
            "section",
            {**SECTION, "title": "", "summary": "s" * 161, "position": "1"},
            ["title.required", "summary.too_long", "position.wrong_type"],
        ),
        ("section", {**SECTION, "body": None}, ["content.inconsistent"]),
        ("section", {**SECTION, "body": "x" * 60_001}, ["body.too_long"]),
        ("section", {**SECTION, "body": " \n "}, ["body.required"]),
        (
            "section",
            {**SECTION, "references": [{"label": "A", "url": "javascript:x"}]},
            ["references/0/url:url.invalid"],
        ),
        ("section", {**SECTION, "image": {"url": "https://x/"}}, ["image/alt:alt.required"]),
        ("section", {**SECTION, "notices": ["a", "a"]}, ["notices.invalid"]),
        ("section", {**SECTION, "notices": ["a", "B c"]}, ["notices/1:notices.invalid"]),
        ("section", {**SECTION, "notices": ["a"] * 201}, ["notices.too_long"]),
        ("section", {**SECTION, "shown_in": []}, ["shown_in.required"]),
        ("section", {**SECTION, "published_on": "2030-02-30"}, ["published_on.invalid"]),
        (
            "section",
            {**SECTION, "body_by_state": {"open": " ", "shut": "x"}},
            ["body_by_state/open:open.required", "body_by_state/shut:body.unknown_field"],
        ),
        ("section", {**SECTION, "slug": "x"}, ["slug:body.unknown_field"]),
        ("section", {**SECTION, "image": {"x y": 1, "url": "https://x/", "alt": "y"}},
         ["image:body.unknown_field"]),
        ("faq", {**FAQ, "answered": "yes"}, ["answered.wrong_type"]),
        ("faq", {**FAQ, "answer_by_mode": {"open": "x"}}, ["content.inconsistent"]),
        ("clinic", {**CLINIC, "time_zone": "Moon"}, ["time_zone.invalid"]),
        ("clinic", {**CLINIC, "country": "us"}, ["country.invalid"]),
        ("clinic", {**CLINIC, "locales": ["en_US"]}, ["locales/0:locales.invalid"]),
        (
            "clinic",
            {**CLINIC, "opening_hours": [{"day": "monday", "opens": "9", "closes": "17:00"}]},
            ["opening_hours/0/opens:opens.invalid"],
        ),
        ("notices", {"notices": [{"slug": "clinic-status", "scope": "text", "text": "x"}]},
         ["notices.invalid"]),
        ("synonyms", {"groups": [["one"]]}, ["groups/0:groups.required"]),
    ],
)  # fmt: skip
async def test_faults_of_a_content(
    desk: Desk, kind: str, content: object, expected: list[str]
) -> None:
    """The pointer leads into the content; the code has the last named field and the reason."""
    body = {"kind": kind, "slug": f"{kind}", "locale": "en-US", "content": content}
    answer = await desk.client.post(DOCUMENTS, json=body, headers=desk.headers)
    found = [
        (pointer.removeprefix("#/content").removeprefix("/"), code)
        for pointer, code in faults(answer)
    ]
    wanted = []
    for item in expected:
        path, _, code = item.rpartition(":")
        name = code.partition(".")[0]
        wanted.append((path or ("" if name == "content" else name), code))
    assert sorted(found) == sorted(wanted)
    assert all(fault["detail"].endswith(".") for fault in answer.json()["errors"])


async def test_faults_of_a_form(desk: Desk) -> None:
    """A form's faults across fields have pointers too."""
    form = path_of("form")
    content = (await desk.read(form))["content"]
    del content["messages"]["name.required"]
    content["messages"]["typed.words"] = "x"
    content["consents"][0]["required"] = False
    answer = await desk.save(form, content=content)
    assert sorted(faults(answer)) == [
        ("#/content/consents/0/required", "required.invalid"),
        ("#/content/messages", "body.unknown_field"),
        ("#/content/messages/name.required", "messages.required"),
    ]


def planted(value: Any, word: str) -> Any:
    """The value with a word in each text and each key that is not allowed."""
    if isinstance(value, dict):
        return {**{k: planted(v, word) for k, v in value.items()}, f"{word} x": word, word: 1}
    if isinstance(value, list):
        return [*(planted(item, word) for item in value), word]
    return f"{word}\0{value}"


@pytest.mark.parametrize("kind", ["clinic", "status", "form", "notices", "section", "faq"])
async def test_no_fault_repeats_what_was_typed(desk: Desk, kind: str) -> None:
    """Words in values and keys, at any depth, are in no error, header or log line."""
    [first, *_] = (await desk.read(f"{DOCUMENTS}?kind={kind}"))["data"]
    path = path_of(kind, first["slug"])
    word = f"Q{secrets.token_hex(8)}"
    content = planted((await desk.read(path))["content"], word)
    tries: list[object] = [
        {"kind": kind, "content": content},
        {"kind": word, "content": content},
        {"kind": kind, "content": word, word: word},
        {"kind": kind, "content": {**(await desk.read(path))["content"], word: 1}},
    ]
    for body in tries:
        answer = await desk.write("PUT", path, body, of=path)
        problem(answer, 422, "invalid-request")
        assert word.lower() not in (answer.text + str(answer.headers)).lower()
        assert len(answer.content) <= 16_384


async def test_no_refused_publication_repeats_a_text(desk: Desk) -> None:
    """The findings of a publication name fields, and repeat nothing of the text."""
    word = f"q{secrets.token_hex(8)}"
    await desk.save(
        EXERCISES, body=f"<b {word}>![{word}](x)</b> [x](javascript:{word})", notices=[word]
    )
    answer = await desk.publish(EXERCISES)
    assert len(faults(answer)) >= 3
    assert word not in answer.text


async def test_a_text_of_full_length_fits(desk: Desk) -> None:
    """60,000 characters fit in any encoding of JSON; a body of more than 1 MiB is a 413."""
    text = "\U0001f469" * 60_000
    body = {"kind": "section", "content": {**SECTION, "body": text}}
    for ascii_only in (True, False):
        content = json.dumps(body, ensure_ascii=ascii_only).encode()
        tag = await desk.tag(EXERCISES)
        headers = {**desk.headers, "If-Match": tag, "Content-Type": "application/json"}
        answer = await desk.client.put(EXERCISES, content=content, headers=headers)
        assert answer.status_code == 200, answer.text[:200]
        assert answer.json()["content"]["body"] == text
    content = b" " * (1024 * 1024 + 1)
    problem(
        await desk.client.put(EXERCISES, content=content, headers=headers), 413, "content-too-large"
    )
    other = "/v1/staff/documents-x"
    problem(
        await desk.client.post(other, content=b" " * 65_537, headers=headers),
        413,
        "content-too-large",
    )


MANY: dict[str, Any] = {
    "unknown fields": {f"f{n}": n for n in range(60_000)},
    "wrong references": {**SECTION, "references": [1] * 300_000},
    "empty references": {**SECTION, "references": [{}] * 200},
    "wrong keys": {**SECTION, "body_by_state": {f"k{n}": n for n in range(60_000)}},
    "wrong slugs": {**SECTION, "notices": ["A b"] * 100_000},
}
MANY_OF_A_FORM: dict[str, Any] = {
    "topics": {"topics": [{"value": "a", "label": "A"}] * 30_000},
    "messages": {"messages": {f"m{n}": "x" for n in range(60_000)}},
    "consents": {"consents": [{"field": "a"}] * 50_000},
    "questions": {"questions": [{"type": "choice", "choices": [{"value": "a"}] * 100}] * 300},
}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *(pytest.param("section", content, id=name) for name, content in MANY.items()),
        *(pytest.param("form", content, id=name) for name, content in MANY_OF_A_FORM.items()),
    ],
)
async def test_very_many_faults_are_fast_and_few(
    desk: Desk, kind: str, content: dict[str, Any]
) -> None:
    """A body of up to 1 MiB with very many faults has a small answer, soon."""
    slug = "exercises" if kind == "section" else kind
    path = path_of(kind, slug)
    tag = await desk.tag(path)
    begun = time.process_time()
    answer = await desk.write("PUT", path, {"kind": kind, "content": content}, of=path, tag=tag)
    # Reading a body of 1 MiB takes a part of it.
    assert time.process_time() - begun < 1
    problem(answer, 422, "invalid-request")
    assert len(answer.content) <= 16_384


def test_no_other_body_has_a_field_with_the_name_of_a_kind() -> None:
    """The path of a fault begins with the kind for tagged bodies only."""
    for _, path, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = SCHEMAS[content["schema"]["$ref"].rpartition("/")[2]]
            nested = {
                name
                for name, field in schema.get("properties", {}).items()
                if "$ref" in str(field) or field.get("type") in ("object", "array")
            }
            assert not nested & TAGS, path
