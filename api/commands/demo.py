"""Serves the same clinic in five states on five ports, to test a frontend with each state."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from api.server import open_audit, prepare
from data.crypto import write_keyring
from data.database import open_database, writing
from data.documents.status import find_status
from data.operations.status_changes import change_status
from models.audit import COMMAND_LINE
from models.settings import ROOT, Settings
from models.status_change import StatusChangeCreate

CLINICS: Mapping[str, Mapping[str, str]] = {
    "open": {"state": "open"},
    "waitlist": {"state": "open", "mode": "waitlist"},
    "paused": {"state": "open", "mode": "paused"},
    "temporarily_closed": {"state": "temporarily_closed"},
    "permanently_closed": {"state": "permanently_closed"},
}


def run(*, folder: Path, host: str, first_port: int) -> None:
    """Serves until Ctrl-C or SIGTERM. Each service has its data in its own folder."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        services = [
            stack.enter_context(_serving(folder / name, change, host=host, port=port))
            for port, (name, change) in enumerate(CLINICS.items(), start=first_port)
        ]
        for port, name in enumerate(CLINICS, start=first_port):
            print(f"{name:<20}http://{host}:{port}")
        print("All data stays on this machine. Ctrl-C stops all services.", flush=True)
        try:
            for service in services:
                service.wait()
        except KeyboardInterrupt:
            return


@contextmanager
def _serving(
    folder: Path, change: Mapping[str, str], *, host: str, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    settings = _prepare(folder, change)
    service = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "serve", "--host", host, "--port", str(port)],
        env={
            **os.environ,
            "CLINIC_DATABASE_URL": settings.database_url,
            "CLINIC_KEYRING_FILE": str(settings.keyring_path),
            "CLINIC_LOG_LEVEL": "warning",
            # No rate limit: a developer sends more requests than a patient.
            "CLINIC_INTAKE_RATE": "",
        },
        stdout=subprocess.DEVNULL,
        # Ctrl-C must reach only this process, which then stops the services.
        start_new_session=True,
    )
    try:
        yield service
    finally:
        service.terminate()
        service.wait()


def _prepare(folder: Path, change: Mapping[str, str]) -> Settings:
    keyring = folder / "keyring.json"
    if not keyring.exists():
        write_keyring(keyring, generated=True)
    settings = Settings(database_url=f"sqlite:///{folder}/clinic.db", keyring_file=keyring)
    prepare(settings)
    engine = open_database(settings.database_url)
    open_audit(engine, settings)
    wanted = StatusChangeCreate.model_validate(dict(change))
    with writing(engine) as session:
        now = find_status(session)
        if (now.state, now.mode) != (wanted.state, wanted.mode or now.mode):
            change_status(session, change=wanted, retention=settings.retention, actor=COMMAND_LINE)
    engine.dispose()
    return settings
