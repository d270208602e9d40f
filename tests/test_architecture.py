"""The rules for imports, file sizes, settings and versions."""

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

# These take 0.1 to 0.2 s to import, and most commands do not need them.
IMPORTED_LATE = {"alembic", "httpx", "psycopg"}

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["models", "data", "api", "main"]
FILES = sorted(
    file.relative_to(ROOT)
    for file in [
        ROOT / "main.py",
        *(f for package in PACKAGES for f in (ROOT / package).rglob("*.py")),
    ]
    if "versions" not in file.parts
)
# A path that begins with a letter, or an HTTP URL.
URL = re.compile("/[a-z]|https?://[a-z]")
# A file path, not a path of the service: the database's file in an example.
NO_SERVICE_PATHS = {"/var/clinic.db"}


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """The import statements of a module, each with the name of the module it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node, node.module or ""


@pytest.mark.parametrize("file", FILES, ids=str)
def test_packages_import_in_one_direction(file: Path) -> None:
    """Imports run main → api → data → models; only slow libraries are imported in a function."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    rank = PACKAGES.index(file.parts[0].removesuffix(".py"))
    for node, module in imports(tree):
        package = module.partition(".")[0]
        late = node not in tree.body
        assert not late or package in IMPORTED_LATE, f"{file}:{node.lineno} imports inside a block"
        if package in PACKAGES:
            assert PACKAGES.index(package) <= rank, f"{file}:{node.lineno} imports {module}"


# The folders of a package in layers, the lowest first. A folder imports its own layer and lower
# ones. Modules outside these folders are the lowest layer of `data`; in `api` they are not checked.
LAYERS = {
    "api": [{"http", "problems", "formats"}, {"cache"}, {"public", "intake", "staff", "pages"}],
    "data": [{"audit"}, {"documents"}, {"intake"}, {"notifications"}, {"operations"}],
}


def layer_of(package: str, parts: Sequence[str]) -> int | None:
    """The number of a module's layer in its package, or `None` if it is not checked."""
    for number, folders in enumerate(LAYERS[package]):
        if len(parts) > 1 and parts[1] in folders:
            return number
    return 0 if package == "data" and parts[1:2] != ["migrations"] else None


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] in LAYERS], ids=str)
def test_folders_import_downward(file: Path) -> None:
    """Inside `api` and `data` a folder imports only folders of its own layer and lower ones."""
    package = file.parts[0]
    layer = layer_of(package, file.with_suffix("").parts)
    for node, module in imports(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        parts = module.split(".")
        imported = layer_of(package, parts) if parts[0] == package and len(parts) > 1 else None
        if layer is not None and imported is not None:
            assert imported <= layer, f"{file}:{node.lineno} imports {module}"


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] in ("models", "data")], ids=str)
def test_only_api_imports_the_web_framework(file: Path) -> None:
    """`models` and `data` import no web framework."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    web = {"fastapi", "starlette", "uvicorn"}
    assert not web & {module.partition(".")[0] for _, module in imports(tree)}


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] == "models"], ids=str)
def test_models_contain_no_url(file: Path) -> None:
    """No string in `models` begins with a path of the service or an HTTP URL."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    strings = {value for value in constants if isinstance(value, str)} - NO_SERVICE_PATHS
    assert [value for value in strings if URL.match(value)] == []


@pytest.mark.parametrize("file", FILES, ids=str)
def test_files_are_short(file: Path) -> None:
    """No file of the code has more than 300 lines."""
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= 300


def test_every_setting_is_in_the_example() -> None:
    """`.env.example` names every setting, and no other variable with the prefix."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {line.removeprefix("# ").partition("=")[0] for line in lines if "CLINIC_" in line}
    assert named == {f"CLINIC_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_the_settings_as_the_service_does(tmp_path: Path, shell: str) -> None:
    """A shell that sources `.env.example`, with all lines uncommented, reads the same values."""
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


def test_versions_are_equal() -> None:
    """The version in `pyproject.toml` is the version that the service reports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
