"""What the service asks of the operating system, as strace sees it."""

import subprocess
from pathlib import Path

import pytest

from tests.support.intake import PATH
from tests.support.process import request_named, serving
from tests.support.programs import needed
from tests.support.waiting import PATIENCE


@pytest.mark.database("sqlite")
def test_the_disk_has_it_before_the_client_does(
    folder: Path, open_clinic: None, tmp_path: Path
) -> None:
    """Between reading a request and writing its 201 the database is synced to disk."""
    needed("strace", otherwise="nobody looks whether the disk has it first")
    with serving(folder) as service:
        trace = tmp_path / "trace"
        tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "40", "-o", str(trace), "-p", str(service.process.pid)],
            stderr=subprocess.PIPE,
        )
        assert tracer.stderr is not None
        tracer.stderr.readline()
        with service.client() as client:
            answer = client.post(PATH, json=request_named("A"))
        tracer.terminate()
        tracer.wait(timeout=PATIENCE)
        tracer.stderr.close()
    assert answer.status_code == 201
    lines = trace.read_text(errors="replace").splitlines()
    read = next(i for i, line in enumerate(lines) if "POST /v1/consultation-requests" in line)
    written = next(i for i, line in enumerate(lines) if "HTTP/1.1 201" in line)
    synced = [line for line in lines[read:written] if "sync(" in line and "clinic.db" in line]
    assert synced
