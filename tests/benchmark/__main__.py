"""`make benchmark`: rates of reads and writes, with each server on one core and wrk on another."""

import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx

from api.server import prepare
from data.crypto import write_keyring
from data.database import open_database, writing
from data.documents.files import SHIPPED_CONTENT, read_content
from data.operations.content_filling import fill_database
from data.schema import migrate
from tests.benchmark import intake
from tests.benchmark.measuring import (
    CONNECTIONS,
    ROUNDS,
    SECONDS,
    SERVICE,
    UVICORN,
    Case,
    Server,
    require_tools,
    running,
    table,
)
from tests.support.apps import settings_in

SECTION, LIST, BUNDLE = "/v1/sections/what-is-ketamine", "/v1/faqs", "/v1/bundle"
FEW, MANY, PAGE = 10, 1000, 100


def prepared_folder(folder: Path, *, sections: int | None = None) -> Path:
    """A new folder with a database of the shipped content, or of `sections` sections."""
    folder.mkdir()
    write_keyring(folder / "keyring.json", generated=True)
    if sections is not None:
        content = folder / "content"
        shutil.copytree(SHIPPED_CONTENT, content)
        text = (content / "sections" / "what-is-ketamine.md").read_text()
        for position in range(len(list(content.glob("sections/*.md"))) + 1, sections + 1):
            copy = content / "sections" / f"section-{position}.md"
            copy.write_text(text.replace("position: 1", f"position: {position}"))
        engine = open_database(settings_in(folder).database_url, may_create=True)
        migrate(engine)
        with writing(engine) as session:
            fill_database(session, folder=read_content(content))
        engine.dispose()
    prepare(settings_in(folder))
    return folder


def record(server: Server, folder: Path) -> str:
    """Writes the service's answers to files for the bare server; returns a section's entity tag."""
    client = httpx.Client(base_url=server.url, headers={"Accept-Encoding": "identity"})
    for name, path in {"section": SECTION, "list": LIST, "bundle": BUNDLE}.items():
        # The second answer comes from the cache, without an `X-Request-ID`.
        answer = [client.get(path) for _ in range(2)][1]
        sent = [header for header in answer.headers.multi_items() if header[0] != "date"]
        (folder / f"{name}.body").write_bytes(answer.content)
        (folder / f"{name}.headers").write_text(json.dumps(sent))
    return client.get(SECTION).headers["ETag"]


def reads(root: Path) -> list[str]:
    """Measures the reads; returns the lines of their table and of its summary."""
    folder = prepared_folder(root / "shipped")
    with running(SERVICE, folder, SECTION) as server:
        first_answer_after = server.first_answer_after
        tag = record(server, folder)
    with ExitStack() as stack:

        def start(command: list[str], folder: Path, ready: str) -> Server:
            return stack.enter_context(running(command, folder, ready))

        bare = start([*UVICORN, "tests.benchmark.bare:app"], folder, "/section")
        tutorial = start([*UVICORN, "tests.benchmark.tutorial:app"], folder, "/sections/")
        service = start(SERVICE, folder, SECTION)
        few = start(SERVICE, prepared_folder(root / "few", sections=FEW), SECTION)
        many = start(SERVICE, prepared_folder(root / "many", sections=MANY), SECTION)

        section = Case("bare uvicorn, section", bare, "/section")
        listed = Case("bare uvicorn, list", bare, "/list")
        bundle = Case("bare uvicorn, bundle", bare, "/bundle")
        gzip, known = ["Accept-Encoding: gzip"], [f"If-None-Match: {tag}"]
        warm = Case("warm section", service, SECTION, section)
        # The route answers a query string that is not in canonical form; the cache does not.
        cold = Case("cold section (the route itself)", service, f"{SECTION}?&", section)
        idiomatic = Case("idiomatic FastAPI + SQLModel, section", tutorial,
                         "/sections/what-is-ketamine", section)  # fmt: skip
        warm_few = Case(f"warm section, {FEW} in the database", few, SECTION, section)
        warm_many = Case(f"warm section, {MANY:,} in the database", many, SECTION, section)
        cold_few = Case(f"cold list of {FEW}", few, "/v1/sections?&", section)
        cold_many = Case(f"cold list of {PAGE}, of {MANY:,}", many, "/v1/sections?&", section)
        cases = [
            section,
            listed,
            bundle,
            warm,
            Case("warm section, gzip", service, SECTION, section, gzip),
            Case("304", service, SECTION, section, known),
            Case("warm list", service, LIST, listed),
            Case("warm bundle", service, BUNDLE, bundle),
            cold,
            idiomatic,
            warm_few,
            warm_many,
            cold_few,
            cold_many,
        ]
        for _ in range(ROUNDS):
            for case in cases:
                case.measure()
        asked = sum(case.requests for case in cases if case.server is service)
        return [
            *table(cases, what="read", against="bare uvicorn"),
            "",
            f"{ROUNDS} interleaved rounds of {SECONDS} s, {CONNECTIONS} connections; medians.",
            f"A warm section is {warm.ratio(idiomatic):.0f} times as fast as the idiomatic route.",
            f"{MANY:,} sections instead of {FEW}: a warm one at {warm_many.ratio(warm_few):.3f} "
            f"of the speed; a cold list {PAGE // FEW} times as long takes "
            f"{cold_few.ratio(cold_many):.1f} times as long.",
            f"From the start of the process to the first 200: {first_answer_after:.2f} s.",
            f"Memory of the service after {asked:,} requests: {service.resident_megabytes:.0f} MB.",
        ]


def main() -> None:
    require_tools()
    root = Path(tempfile.mkdtemp())
    try:
        for lines in (reads(root), [""], intake.measure(root, rounds=ROUNDS)):
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
