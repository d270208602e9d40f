"""What some tests need beside Python."""

import os
import shutil

import pytest

from tests.support.process import ROOT

CLIENTS = ROOT / "tests" / "clients"
SITE = ROOT / "docs" / "examples" / "site"
TOOLS = CLIENTS / "node_modules" / ".bin"
# Where `make test` has put what they need, if there was an npm to do so.
_PACKAGES = [folder / "node_modules" / ".installed" for folder in (CLIENTS, SITE)]


def needed(*programs: str, otherwise: str) -> None:
    """Leaves a test out, with one line that says why, where one of the programs is not installed.

    `CLINIC_TEST_COMPLETE` forbids it.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    if "node" in programs and not all(file.exists() for file in _PACKAGES):
        missing.append("what npm installs")
    if missing:
        reason = f"not installed: {', '.join(missing)}; {otherwise}"
        assert "CLINIC_TEST_COMPLETE" not in os.environ, reason
        pytest.skip(reason)
