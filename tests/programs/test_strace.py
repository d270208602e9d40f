"""The system calls of the service, recorded by strace."""

import subprocess
from pathlib import Path

import pytest

from tests.support.intake import PATH, request_named
from tests.support.process import serving
from tests.support.programs import needed
from tests.support.waiting import PATIENCE


@pytest.mark.database("sqlite")
def test_a_request_is_on_disk_before_its_answer(
    folder: Path, open_clinic: None, tmp_path: Path
) -> None:
    """The database is synced to disk after a request is read and before its 201 is written."""
    needed("strace", otherwise="the sync before the answer is not checked")
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
