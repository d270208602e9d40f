"""Generators, linters and form libraries work with the OpenAPI document."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.documents.files import SHIPPED_CONTENT
from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.clients import FAST_START, GENERATOR, PYTHON_TOOLS, run, use_service
from tests.support.document import DOCUMENT
from tests.support.forms import QUESTIONS, form_document, publish_form, with_questions
from tests.support.process import ROOT, serving
from tests.support.programs import CLIENTS, needed

pytestmark = pytest.mark.shipped


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The OpenAPI document in a file."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(DOCUMENT))
    return file


def needs_node() -> None:
    needed("node", otherwise="the OpenAPI document is not compiled")


def test_the_linter_finds_nothing(document: Path) -> None:
    """Redocly's recommended rules find no error and no warning."""
    needs_node()
    linted = run("redocly", "lint", str(document), "--extends", "recommended", "--format", "json")
    report: dict[str, Any] = json.loads(linted.stdout)
    assert report["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}, report["problems"]


def test_types_are_complete_and_compile(document: Path, tmp_path: Path) -> None:
    """Only what the form describes has an unknown type, and code with the generated types compiles.

    That is the form's `schema`, and `answers` of a request, as it is sent and as staff reads it.
    """
    needs_node()
    types = tmp_path / "openapi.d.ts"
    generated = run("openapi-typescript", str(document), "--output", str(types))
    assert generated.returncode == 0, generated.stderr
    # openapi-typescript adds `[name: string]: unknown` to the headers of each answer.
    code = re.sub(r"/\*\*.*?\*/|\[name: string\]: unknown;", "", types.read_text(), flags=re.DOTALL)
    unknown = re.findall(r"(?<![\"\w])(?:unknown|any)(?![\"\w])", code)
    known = re.findall(r"(\w+)\??: \{\s+\[key: string\]: unknown;", code)
    assert (len(unknown), sorted(known)) == (3, ["answers", "answers", "schema"])
    usage = shutil.copy(CLIENTS / "usage.ts", tmp_path)
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", "esnext")
    compiled = run("tsc", *options, "--moduleResolution", "bundler", str(usage))
    assert compiled.returncode == 0, compiled.stdout


@pytest.mark.database("sqlite")
def test_a_typed_frontend_works(document: Path, folder: Path, tmp_path: Path) -> None:
    """A frontend with openapi-typescript and openapi-fetch compiles and works."""
    needs_node()
    built = tmp_path / "frontend"
    built.mkdir()
    (built / "node_modules").symlink_to(CLIENTS / "node_modules")
    (built / "package.json").write_text('{"type": "module"}')
    flow = shutil.copy(CLIENTS / "flow.ts", built)
    assert run("openapi-typescript", str(document), "--output", f"{built}/openapi.d.ts").stdout
    options = ("--strict", "--target", "es2022", "--module", "esnext", "--outDir", str(built))
    compiled = run("tsc", *options, "--moduleResolution", "bundler", str(flow))
    assert compiled.returncode == 0, compiled.stdout
    used = use_service(folder, ["node", "flow.js"], built)
    assert used.returncode == 0, used.stderr


@pytest.mark.database("sqlite")
def test_a_typed_program_works(document: Path, folder: Path, tmp_path: Path) -> None:
    """A program with openapi-python-client passes mypy and works."""
    tools = PYTHON_TOOLS
    built = tmp_path / "program"
    built.mkdir()
    shutil.copy(CLIENTS / "consume.py", built)

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        # The generator runs a formatter from its own folder.
        path = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        return subprocess.run(
            command, cwd=built, env=path, capture_output=True, text=True, check=False
        )

    made = call(f"{tools}/openapi-python-client", "generate", "--path", str(document),
                "--output-path", "client", "--meta", "none", "--fail-on-warning")  # fmt: skip
    assert made.returncode == 0, made.stdout
    # The generated code is not typed strictly, so its own errors are not followed.
    checked = call(f"{tools}/mypy", "--strict", "--follow-imports", "silent", "consume.py")
    assert checked.returncode == 0, checked.stdout
    used = use_service(folder, [f"{tools}/python", "consume.py"], built)
    assert used.returncode == 0, used.stderr


@pytest.mark.database("sqlite")
def test_the_generator_for_python_works(document: Path, folder: Path, tmp_path: Path) -> None:
    """The Python client of openapi-generator sends a request and reads its receipt."""
    generate("python", document, tmp_path)
    shutil.copy(GENERATOR / "ask.py", tmp_path)
    checked = subprocess.run(
        [f"{PYTHON_TOOLS}/mypy", "--strict", "--follow-imports", "silent", "ask.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    used = use_service(folder, [f"{PYTHON_TOOLS}/python", "ask.py"], tmp_path)
    assert used.returncode == 0, used.stderr


@pytest.mark.database("sqlite")
def test_the_generator_for_java_works(document: Path, folder: Path, tmp_path: Path) -> None:
    """The Java client of openapi-generator sends a request and reads its receipt."""
    options = "openApiNullable=false,hideGenerationTimestamp=true"
    generate("java", document, tmp_path, "--library", "native", "--additional-properties", options)
    [jar] = PYTHON_TOOLS.parent.rglob("openapi-generator.jar")
    sources = [*(tmp_path / "src" / "main").rglob("*.java"), *GENERATOR.glob("*.java")]
    # The generated code needs Jackson, which is in the jar of the generator.
    compiled = subprocess.run(
        ["javac", f"-J{FAST_START}", "-nowarn", "-proc:none", "-cp", jar,
         "-d", tmp_path / "classes", *sources],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stderr
    used = use_service(folder, ["java", "-cp", f"{jar}:{tmp_path}/classes", "Ask"], tmp_path)
    assert used.returncode == 0, used.stderr


def generate(language: str, document: Path, where: Path, *options: str) -> None:
    needed("java", "javac", otherwise="openapi-generator's clients are not built")
    made = subprocess.run(
        [f"{PYTHON_TOOLS}/openapi-generator-cli", "generate", "--generator-name", language,
         "--input-spec", document, "--output", where, *options,
         "--global-property", "models,apis,supportingFiles,modelTests=false,apiTests=false,"
         "modelDocs=false,apiDocs=false"],
        env={**os.environ, "JAVA_OPTS": FAST_START},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("questions", [[], QUESTIONS], ids=["shipped", "with-questions"])
def test_form_libraries_render_the_form(folder: Path, questions: list[dict[str, Any]]) -> None:
    """Each form library shows the labels by default, and selects no value by itself."""
    needed("node", "chromium", otherwise="the form is not tried in its libraries")
    if questions:
        engine = open_with_audit(folder)
        publish_form(engine, with_questions(form_document(SHIPPED_CONTENT)), clinic=SHIPPED_CONTENT)
        engine.dispose()
    labels = json.dumps([question["label"] for question in questions])
    filled = use_service(folder, ["node", "forms/fill.mjs"], CLIENTS, LABELS=labels)
    assert filled.returncode == 0, filled.stderr


# PostgreSQL is stricter: it refuses some values that SQLite accepts.
@pytest.mark.database("postgresql")
def test_schemathesis_finds_no_fault(folder: Path) -> None:
    """All checks of Schemathesis pass while the clinic is open."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    engine.dispose()
    with serving(folder) as service:
        checked = subprocess.run(
            [
                *(str(Path(sys.executable).parent / "schemathesis"), "--no-color"),
                *("--config-file", str(ROOT / "tests" / "openapi" / "schemathesis.toml")),
                *("run", f"{service.url}/openapi.json", "--checks", "all"),
                # With two workers the cache of lambdas in Schemathesis fails on Python 3.11.
                *("--workers", "1", "--max-examples", "15", "--generation-database", "none"),
            ],
            cwd=folder,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": str(ROOT / "tests" / "openapi" / "schemathesis_hooks.py"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert checked.returncode == 0, checked.stdout[-5000:]
    assert re.search(r"(\d+) generated, \1 passed", checked.stdout)
