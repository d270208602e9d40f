"""Restores a backup, and checks whether a backup can be restored."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from data import schema
from data.crypto import Keyring, KeyringFault, SealBroken
from data.database import open_database
from data.operations.backup import fingerprint, kind_named, read_manifest
from data.operations.backup_contents import BackupFault, count_contents
from data.sealing_keys import verify_key
from models.backup import BackupContents, BackupManifest
from models.sealing_key import SealingKey


@dataclass(frozen=True)
class CheckedBackup:
    """A backup that agrees with its manifest; `opened` sealed values could be opened."""

    manifest: BackupManifest
    opened: int
    # Locations of the sealed values that do not open, although the keyring has their keys.
    damaged: list[str]


def check_backup(file: Path, *, keyring: Keyring | None) -> CheckedBackup:
    """Reads every row and opens every sealed value. Raises `BackupFault` or `KeyringFault`."""
    manifest = _read_genuine_manifest(file)
    if not schema.is_known(manifest.schema_revision):
        raise BackupFault(f"{file} was taken by a newer version than this one")
    missing = sorted(set(manifest.keys) - set(keyring.keys if keyring else ()))
    if missing:
        raise KeyringFault(
            f"the backup needs key {missing[0]}, which is not in the keyring: "
            "add it with `python main.py keys import FILE`"
        )
    reading = _Reading(keyring)
    for table, row in kind_named(manifest.kind).read_rows(file):
        reading.check_row(table, row)
    if any(reading.rows[table] != rows for table, rows in manifest.rows.items()):
        raise BackupFault(f"{file} does not contain the rows that its manifest names")
    return CheckedBackup(manifest, reading.opened, reading.damaged)


def restore_backup(file: Path, *, url: str, keyring: Keyring | None) -> CheckedBackup:
    """Checks the backup, then restores it into an empty database. Raises as `check_backup`."""
    checked = check_backup(file, keyring=keyring)
    manifest, kind = checked.manifest, make_url(url).get_backend_name()
    if kind != manifest.kind:
        raise BackupFault(f"the backup is of {manifest.kind}, CLINIC_DATABASE_URL names {kind}")
    try:
        kind_named(kind).restore(file, url=url)
    except OSError as error:
        raise BackupFault(f"nothing can be restored there: {error.strerror}") from None
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            if count_contents(connection) != _contents(manifest):
                raise BackupFault("the restored database does not contain the rows of the backup")
    finally:
        engine.dispose()
    return checked


class _Reading:
    """Counts the rows of a backup, and opens what is sealed in them."""

    def __init__(self, keyring: Keyring | None) -> None:
        self.keyring = keyring
        self.rows: Counter[str] = Counter()
        self.opened = 0
        self.damaged: list[str] = []

    def check_row(self, table: str, row: Mapping[str, Any]) -> None:
        self.rows[table] += 1
        if self.keyring is None:
            return
        if table == SealingKey.__tablename__:
            value = _as_bytes(row["check_value"])
            verify_key(self.keyring, key_id=row["id"], check_value=value)
        for column, value in row.items():
            if column.startswith("sealed") and value is not None:
                self._open(self.keyring, f"{table}.{column}:{_id(row)}", _as_bytes(value))

    def _open(self, keyring: Keyring, location: str, sealed: bytes) -> None:
        try:
            keyring.unseal(sealed, location=location)
            self.opened += 1
        except SealBroken:
            self.damaged.append(location)


def _id(row: Mapping[str, Any]) -> str:
    # An idempotency record has no id: its location contains the digest of its key.
    return row["id"] if "id" in row else _as_bytes(row["key_digest"]).hex()


def _as_bytes(value: bytes | str) -> bytes:
    # A dump contains bytes as text: two backslashes, `x`, and hexadecimal digits.
    return bytes.fromhex(value[3:]) if isinstance(value, str) else value


def _contents(manifest: BackupManifest) -> BackupContents:
    return BackupContents(**manifest.model_dump(include=set(BackupContents.model_fields)))


def _read_genuine_manifest(file: Path) -> BackupManifest:
    """The manifest of a file whose size and checksum agree with it. Raises `BackupFault`."""
    manifest = read_manifest(file)
    try:
        found = fingerprint(file)
    except OSError as error:
        raise BackupFault(f"{error.filename} cannot be read: {error.strerror}") from None
    if found != {"size": manifest.size, "sha256": manifest.sha256}:
        raise BackupFault(f"{file} was changed: its checksum is not the one in its manifest")
    return manifest
