"""The rooms of the house and the doors between them."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dotenv import dotenv_values

from models.service import VERSION
from models.settings import Settings

# These take a tenth of a second or two to import, and most starts do not need them.
LATE = {"alembic", "httpx", "psycopg"}

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["models", "data", "api", "main"]
FILES = sorted(
    file.relative_to(ROOT)
    for file in [ROOT / "main.py", *(f for room in ROOMS for f in (ROOT / room).rglob("*.py"))]
    if "versions" not in file.parts
)
# A path of at least one letter, or a scheme with a host.
URL = re.compile("/[a-z]|https?://[a-z]")
# The folder of the database's file, after an absolute path.
NO_SERVICE_PATHS = {"/var/clinic.db"}


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their room"
            yield node, node.module or ""


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_run_one_way(file: Path) -> None:
    """main → api → data → models, never back, and hardly ever from inside a function."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    rank = ROOMS.index(file.parts[0].removesuffix(".py"))
    for node, module in imports(tree):
        room = module.partition(".")[0]
        assert node in tree.body or room in LATE, f"{file}:{node.lineno} imports inside a block"
        if room in ROOMS:
            assert ROOMS.index(room) <= rank, f"{file}:{node.lineno} imports {module}"


# Inside a floor a room imports those that stand before it, and itself; rooms of one line import
# each other. What is not in a room of its own is the first line's in `data`, and free in `api`.
LINES = {
    "api": [{"http", "problems", "formats"}, {"cache"}, {"public", "intake", "staff", "pages"}],
    "data": [set(), {"documents"}, {"intake"}, {"notifications"}, {"operations"}],
}


def line_of(floor: str, parts: Sequence[str]) -> int | None:
    """Which line of its floor a module stands in."""
    for number, rooms in enumerate(LINES[floor]):
        if len(parts) > 1 and parts[1] in rooms:
            return number
    return 0 if floor == "data" and parts[1:2] != ["migrations"] else None


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] in LINES], ids=str)
def test_rooms_import_downward(file: Path) -> None:
    """Plumbing never imports a noun, and nothing of the data floor what stands above it."""
    floor = file.parts[0]
    here = line_of(floor, file.with_suffix("").parts)
    for node, module in imports(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        parts = module.split(".")
        there = line_of(floor, parts) if parts[0] == floor and len(parts) > 1 else None
        if here is not None and there is not None:
            assert there <= here, f"{file}:{node.lineno} imports {module}"


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] in ("models", "data")], ids=str)
def test_only_api_speaks_http(file: Path) -> None:
    """Words and storage know nothing of the web."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    web = {"fastapi", "starlette", "uvicorn"}
    assert not web & {module.partition(".")[0] for _, module in imports(tree)}


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] == "models"], ids=str)
def test_models_know_no_url(file: Path) -> None:
    """No string of a model begins like a path of the service or an address of a host."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    strings = {value for value in constants if isinstance(value, str)} - NO_SERVICE_PATHS
    assert [value for value in strings if URL.match(value)] == []


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_file_outgrows_its_room(file: Path) -> None:
    """Nobody has to hold more than 300 lines in mind."""
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= 300


def test_every_setting_is_in_the_example() -> None:
    """`.env.example` names each setting, and nothing else."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {line.removeprefix("# ").partition("=")[0] for line in lines if "CLINIC_" in line}
    assert named == {f"CLINIC_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_the_settings_as_the_service_does(tmp_path: Path, shell: str) -> None:
    """`.env.example` can be sourced, the values in its comments included."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    file = tmp_path / "settings"
    file.write_text(re.sub("^# (?=CLINIC_)", "", text, flags=re.MULTILINE), encoding="utf-8")
    script = 'set -eua; . "$1"; env -0'
    sourced = subprocess.run(
        [shell, "-c", script, shell, str(file)],
        env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (sourced.returncode, sourced.stderr) == (0, "")
    values = dict(line.split("=", 1) for line in sourced.stdout.split("\0") if "CLINIC_" in line)
    assert values == dict(dotenv_values(file))
    assert len(values) == len(Settings.model_fields)


def test_the_version_is_one() -> None:
    """The service and its project file agree on the version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
