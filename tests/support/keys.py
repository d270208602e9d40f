"""A folder's keyring file: the `keys` commands, and changes by hand."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, update

from data.crypto import new_key, read_document
from models.sealing_key import SealingKey
from models.values import utc_now
from tests.support.commands import invoke


def active_of(folder: Path) -> str:
    return read_document(folder / "keyring.json").active


def let_a_minute_pass(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        begun = utc_now() - timedelta(minutes=2)
        connection.execute(update(SealingKey).values(first_used_at=begun))


def keys(folder: Path, *arguments: str) -> str:
    done = invoke("keys", *arguments, folder=folder)
    assert done.exit_code == 0, done.stderr
    return done.stdout


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
