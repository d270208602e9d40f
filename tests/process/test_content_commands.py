"""Content files and a running service: a new clinic, served and changed by its files."""

from pathlib import Path

import httpx
import pytest

from tests.support.content_folders import edit
from tests.support.process import run, serving
from tests.support.waiting import wait_for


@pytest.mark.database("sqlite")
def test_a_new_clinic_is_served_and_changed(tmp_path: Path) -> None:
    """A new folder fills an empty database. Afterwards a push is served by the running service."""
    files = tmp_path / "content"
    arguments = ("--locality", "Sevilla", "--region", "Andalucía", "--country", "ES",
                 "--time-zone", "Europe/Madrid", "--locale", "es-ES")  # fmt: skip
    written = run("content", "new", str(files), *arguments, folder=tmp_path)
    assert (written.returncode, written.stderr) == (0, "")
    run("keys", "create", str(tmp_path / "keyring.json"), folder=tmp_path)
    with serving(tmp_path, changes={"CLINIC_CONTENT": str(files)}) as service:

        def title() -> str:
            section = httpx.get(f"{service.url}/v1/sections/sobre-nosotros").json()
            return str(section["title"])

        assert title() == "Sobre nosotros"
        before = {path: path.read_bytes() for path in files.rglob("*.*")}
        pulled = run("content", "pull", str(files), folder=tmp_path)
        assert pulled.stdout == "0 files written, 6 unchanged.\n"
        same = run("content", "diff", str(files), folder=tmp_path)
        assert (same.returncode, same.stdout) == (0, "Nothing differs.\n")
        assert all(path.read_bytes() == text for path, text in before.items())
        edit(files, "sections/sobre-nosotros.md", "title: Sobre nosotros", "title: Quiénes somos")
        pushed = run("content", "push", str(files), folder=tmp_path)
        assert pushed.stdout == "section sobre-nosotros: changed (title)\nPushed.\n"
        wait_for(lambda: title() == "Quiénes somos")
