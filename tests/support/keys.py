"""The keyring file of a test's folder, changed by hand."""

import json
from pathlib import Path

from data.crypto import new_key


def keyring_of(folder: Path) -> Path:
    return folder / "keyring.json"


def with_another_key(file: Path, *, active: bool) -> str:
    """Puts a fresh key into the file by hand, and returns its id."""
    document = json.loads(file.read_text())
    key_id, secret = new_key()
    document["keys"][key_id] = secret
    document["active"] = key_id if active else document["active"]
    file.write_text(json.dumps(document))
    return key_id
