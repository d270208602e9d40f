"""Runs a command with a disk that is full or read-only."""

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.process import environment, without_coverage
from tests.support.waiting import PATIENCE

# A user other than root can only mount in a user namespace.
_USER = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
_ALONE = ["unshare", *_USER, "--mount", "sh", "-euc"]


def run_with_mount(
    script: str, *, folder: Path, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Runs a shell script that may mount file systems; other processes do not see them."""
    if not _may_mount():
        pytest.skip("this machine does not allow mounts in a namespace")
    return _run(script, folder, without_coverage(environment(folder, **changes)))


@cache
def _may_mount() -> bool:
    return _run("mount -t tmpfs tmpfs /mnt", Path("/"), None).returncode == 0


def _run(
    script: str, folder: Path, variables: dict[str, str] | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_ALONE, script],
        env=variables, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
