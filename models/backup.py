"""The manifest of a backup."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from models.audit import AuditEnd


class BackupContents(BaseModel):
    """The contents of a database. A backup and the database restored from it must be equal here."""

    schema_revision: str
    rows: dict[str, int]
    # Ids of the sealing keys that are needed to open its values.
    keys: list[str]
    # `None` where there was no event, or the events had no hashes yet.
    audit_end: AuditEnd | None = None


class BackupManifest(BackupContents):
    """The file `FILE.json` in the folder of a backup `FILE`."""

    kind: Literal["sqlite", "postgresql"]
    # The backup contains everything that was committed before this time.
    taken_at: datetime
    service_version: str
    size: int
    sha256: str
