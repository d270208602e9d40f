"""Files that survive a loss of power."""

import os
from pathlib import Path


def sync(place: Path) -> None:
    """Keeps what was written to a file, or renamed in a folder."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_private(file: Path) -> None:
    """Makes an empty file that only its owner can read; raises where there is one."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
