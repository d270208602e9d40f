"""Programs other than Python that some tests need."""

import os
import shutil

import pytest

from tests.support.process import ROOT

CLIENTS = ROOT / "tests" / "clients"
SITE = ROOT / "docs" / "examples" / "site"
TOOLS = CLIENTS / "node_modules" / ".bin"
# `make test` creates these files after npm has installed the packages.
_PACKAGES = [folder / "node_modules" / ".installed" for folder in (CLIENTS, SITE)]


def needed(*programs: str, otherwise: str) -> None:
    """Skips a test, with the reason, if one of the programs is not installed.

    Fails instead if the variable CLINIC_TEST_COMPLETE is set.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    if "node" in programs and not all(file.exists() for file in _PACKAGES):
        missing.append("the packages of npm")
    if missing:
        reason = f"not installed: {', '.join(missing)}; {otherwise}"
        assert "CLINIC_TEST_COMPLETE" not in os.environ, reason
        pytest.skip(reason)
