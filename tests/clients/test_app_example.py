"""The example app in Python and in TypeScript, with a running service."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from clinic_app import ClinicApp

from tests.support.clients import run as run_tool
from tests.support.clients import use_service
from tests.support.document import DOCUMENT
from tests.support.process import CLOSE_PERMANENTLY, ROOT, free_port, run, serving
from tests.support.programs import CLIENTS, needed
from tests.support.receivers import proxy_with_own_pages

pytestmark = pytest.mark.shipped

EXAMPLE = ROOT / "docs" / "examples" / "app"

REQUEST = {
    "name": "Robin",
    "email": "robin@example.com",
    "topic": "other",
    "consent_to_contact": True,
    "form_version": 1,
}


def set_state(folder: Path, *change: str) -> None:
    """Runs `status set`."""
    assert run("status", "set", *change, folder=folder).returncode == 0


@pytest.mark.database("sqlite")
def test_the_example_in_python(folder: Path, tmp_path: Path) -> None:
    """The app caches the bundle, works offline, and sends each queued request once."""
    statuses: list[int] = []
    hooks = {"response": [lambda answer: statuses.append(answer.status_code)]}
    own = tmp_path / "own"
    set_state(folder, "open")
    with serving(folder) as service:
        away = httpx.Client(base_url=f"http://127.0.0.1:{free_port()}")
        here = service.client(event_hooks=hooks)
        with away, here:
            online, offline = ClinicApp(own, here), ClinicApp(own, away)
            assert offline.open() is None
            first = online.open()
            assert first is not None
            assert first.may_ask
            assert online.open() is not None
            assert statuses == [200, 304]
            later = offline.open(now=datetime.now(UTC) + timedelta(days=7))
            assert later is not None
            assert later.bundle == first.bundle
            assert not later.may_ask

            sent, late = online.queue(REQUEST), online.queue(REQUEST)
            mistyped = online.queue({**REQUEST, "email": "robin"})
            faulty = online.send(mistyped)
            assert [error["code"] for error in faulty.errors] == ["email.invalid"]
            # The refused request stays in the queue, so that it can be corrected.
            typed = online.queued(mistyped)
            assert typed == {**REQUEST, "email": "robin"}
            corrected = online.correct(mistyped, {**typed, "email": REQUEST["email"]})
            assert online.send(corrected).state == "sent"
            assert offline.send(sent).state == "waiting"
            # Simulates an answer that is lost: the app does not learn of this 201.
            lost = here.post(
                "/v1/consultation-requests",
                content=(own / "queue" / sent).read_bytes(),
                headers={"Content-Type": "application/json", "Idempotency-Key": sent},
            )
            set_state(folder, "temporarily_closed")
            assert online.send(late).state == "waiting"
            set_state(folder, *CLOSE_PERMANENTLY[2:])
            replayed = online.send(sent)
            assert replayed.receipt == lost.json()
            refused = online.send(late)
            assert refused.state == "refused"
            assert "permanently closed" in refused.words
    assert [file.name for file in own.iterdir() if file.is_file()] == ["bundle.json"]
    assert list((own / "queue").iterdir()) == []


def test_an_error_page_of_a_proxy(tmp_path: Path) -> None:
    """The app treats HTML as a missing answer, whatever its status is."""
    own = tmp_path / "own"
    with proxy_with_own_pages() as proxy:
        for status in (200, 201, 401, 404, 410, 422, 502):
            with httpx.Client(base_url=f"{proxy}/{status}") as client:
                app = ClinicApp(own, client)
                assert app.open() is None
                key = app.queue(REQUEST)
                assert app.send(key).state == "waiting", status
                assert app.queued(key) == REQUEST


@pytest.mark.database("sqlite")
def test_the_example_in_typescript(folder: Path, tmp_path: Path) -> None:
    """The app in TypeScript compiles with the document's types, and behaves the same."""
    needed("node", otherwise="the example app is not compiled")
    built = tmp_path / "app"
    built.mkdir()
    (built / "package.json").write_text('{"type": "module"}')
    (built / "document.json").write_text(json.dumps(DOCUMENT))
    for file in (EXAMPLE / "clinic-app.ts", CLIENTS / "app_flow.ts"):
        shutil.copy(file, built)
    run_tool("openapi-typescript", f"{built}/document.json", "--output", f"{built}/openapi.d.ts")
    compiled = run_tool(
        "tsc", "--strict", "--target", "es2022", "--module", "esnext",
        "--moduleResolution", "bundler", "--outDir", str(built), f"{built}/app_flow.ts",
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stdout
    # Node.js needs the file extension, which bundlers do not need.
    flow = built / "app_flow.js"
    flow.write_text(flow.read_text().replace('"./clinic-app"', '"./clinic-app.js"'))
    away = f"http://127.0.0.1:{free_port()}"
    with proxy_with_own_pages() as proxy:
        used = use_service(folder, ["node", "app_flow.js"], built, AWAY=away, PROXY=proxy)
    assert used.returncode == 0, used.stderr
