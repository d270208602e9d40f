"""File operations that survive a power failure."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Writes the content of a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_private(file: Path) -> None:
    """Creates an empty file that only its owner can read. Raises `FileExistsError`."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
