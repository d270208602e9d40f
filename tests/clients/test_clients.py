"""The OpenAPI document in the hands of those who build on it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.clients import FAST_START, GENERATOR, PYTHON_TOOLS, run, use_service
from tests.support.document import DOCUMENT
from tests.support.process import ROOT, serving
from tests.support.programs import CLIENTS, needed

pytestmark = pytest.mark.shipped


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The document as a file."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(DOCUMENT))
    return file


def needs_node() -> None:
    needed("node", otherwise="the OpenAPI document is not compiled")


def test_the_linter_has_nothing_to_say(document: Path) -> None:
    """Redocly's recommended rules find no error and no warning."""
    needs_node()
    linted = run("redocly", "lint", str(document), "--extends", "recommended", "--format", "json")
    report: dict[str, Any] = json.loads(linted.stdout)
    assert report["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}, report["problems"]


def test_types_are_complete_and_compile(document: Path, tmp_path: Path) -> None:
    """openapi-typescript knows all but the form's `schema`, and what is built on it compiles."""
    needs_node()
    types = tmp_path / "openapi.d.ts"
    generated = run("openapi-typescript", str(document), "--output", str(types))
    assert generated.returncode == 0, generated.stderr
    # Whatever header may be there besides is its own addition to every answer.
    said = re.sub(r"/\*\*.*?\*/|\[name: string\]: unknown;", "", types.read_text(), flags=re.DOTALL)
    unknown = re.findall(r"(?<![\"\w])(?:unknown|any)(?![\"\w])", said)
    assert (unknown, len(re.findall(r"schema: \{\s+\[key: string\]: unknown;", said))) == (
        ["unknown"],
        1,
    )
    usage = shutil.copy(CLIENTS / "usage.ts", tmp_path)
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", "esnext")
    compiled = run("tsc", *options, "--moduleResolution", "bundler", str(usage))
    assert compiled.returncode == 0, compiled.stdout


@pytest.mark.database("sqlite")
def test_a_typed_frontend_works(document: Path, folder: Path, tmp_path: Path) -> None:
    """What is built with openapi-typescript and openapi-fetch compiles, and gets its answers."""
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
    """What is built with openapi-python-client passes mypy, and gets its answers."""
    tools = PYTHON_TOOLS
    built = tmp_path / "program"
    built.mkdir()
    shutil.copy(CLIENTS / "consume.py", built)

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        # The generator formats what it made with a tool beside it.
        path = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        return subprocess.run(
            command, cwd=built, env=path, capture_output=True, text=True, check=False
        )

    made = call(f"{tools}/openapi-python-client", "generate", "--path", str(document),
                "--output-path", "client", "--meta", "none", "--fail-on-warning")  # fmt: skip
    assert made.returncode == 0, made.stdout
    # What the generator writes for itself is typed less strictly than what is written with it.
    checked = call(f"{tools}/mypy", "--strict", "--follow-imports", "silent", "consume.py")
    assert checked.returncode == 0, checked.stdout
    used = use_service(folder, [f"{tools}/python", "consume.py"], built)
    assert used.returncode == 0, used.stderr


@pytest.mark.database("sqlite")
def test_the_generator_for_python_works(document: Path, folder: Path, tmp_path: Path) -> None:
    """With the Python client of openapi-generator a request is sent, and its receipt is read."""
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
    """With the Java client of openapi-generator a request is sent, and its receipt is read."""
    options = "openApiNullable=false,hideGenerationTimestamp=true"
    generate("java", document, tmp_path, "--library", "native", "--additional-properties", options)
    [jar] = PYTHON_TOOLS.parent.rglob("openapi-generator.jar")
    sources = [*(tmp_path / "src" / "main").rglob("*.java"), *GENERATOR.glob("*.java")]
    # The generator's own jar has Jackson in it, which its code needs.
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
def test_the_form_renders_as_it_is(folder: Path) -> None:
    """In each form library, by its default settings, labels show and only a person chooses."""
    needed("node", "chromium", otherwise="the form is not tried in its libraries")
    filled = use_service(folder, ["node", "forms/fill.mjs"], CLIENTS)
    assert filled.returncode == 0, filled.stderr


# On the stricter of the two: what SQLite takes, PostgreSQL may not.
@pytest.mark.database("postgresql")
def test_what_is_generated_from_it_finds_no_fault(folder: Path) -> None:
    """Schemathesis, all checks, while the clinic is open: 0 failures."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    engine.dispose()
    with serving(folder) as service:
        checked = subprocess.run(
            [
                *(str(Path(sys.executable).parent / "schemathesis"), "--no-color"),
                *("--config-file", str(ROOT / "tests" / "openapi" / "schemathesis.toml")),
                *("run", f"{service.url}/openapi.json", "--checks", "all"),
                # With two, its own cache of lambdas breaks on Python 3.11.
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
