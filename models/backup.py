"""What stands beside each backup and says what is in it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from models.audit import AuditEnd


class BackupContents(BaseModel):
    """What a database holds, as far as a backup of it can be compared."""

    schema_revision: str
    rows: dict[str, int]
    # Ids of the sealing keys without which it cannot be read.
    keys: list[str]
    # `None` where there was no event, or the events had no hashes yet.
    audit_end: AuditEnd | None = None


class BackupManifest(BackupContents):
    """The file `FILE.json` beside a backup `FILE`."""

    kind: Literal["sqlite", "postgresql"]
    # Everything that was acknowledged before is in the backup.
    taken_at: datetime
    service_version: str
    size: int
    sha256: str
