"""The checks of `doctor`: faults of an installation that the readiness probe does not cover."""

from data.audit.chain import ChainFault, find_chain
from data.audit.check import check_events, is_missing
from data.database import reading
from data.operations.backup import list_backups, read_manifest
from data.operations.health import Check, CheckFailed, Service
from data.operations.roles import find_excess


def check_audit(service: Service) -> str:
    try:
        with reading(service.engine) as session:
            chain = find_chain(session, service.keyring)
    except ChainFault as fault:
        raise CheckFailed(f"The chain of the audit cannot be checked: {fault}.") from None
    if chain is None:
        return "No event has a hash yet; the next start of the service creates the chain."
    report = check_events(service.engine, chain=chain)
    if report.faults:
        raise CheckFailed(
            f"{' '.join(report.faults)} The audit was changed without the service: find out who "
            "can write to the database, and compare it with a backup."
        )
    return f"All {report.events} events are unchanged."


def check_audit_end(service: Service) -> str:
    """Checks that the database has the newest event of the newest backup.

    The chain alone cannot show that the newest events were removed.
    """
    folder = service.settings.backup_dir
    backups = list_backups(folder) if folder else []
    end = read_manifest(backups[0]).audit_end if backups else None
    if end is None:
        return "CLINIC_BACKUP_DIR has no backup with an event to compare with."
    with reading(service.engine) as session:
        if is_missing(session.connection(), end=end):
            raise CheckFailed(
                f"Event {end.id}, the newest one of {backups[0].name}, is missing or different: "
                "the newest events were removed, or an older backup was restored."
            )
    return f"Event {end.id}, the newest one of {backups[0].name}, is in the database."


def check_role(service: Service) -> str:
    if service.engine.dialect.name != "postgresql":
        return "SQLite has no roles: every program that can write to the file can change the audit."
    with reading(service.engine) as session:
        excess = find_excess(session)
    if excess:
        raise CheckFailed(
            f"The role of CLINIC_DATABASE_URL {excess}, so it can change the audit: "
            "set CLINIC_MIGRATION_DATABASE_URL to another role and run `python main.py migrate`."
        )
    return "The role of CLINIC_DATABASE_URL can add events to the audit, but cannot change them."


CHECKS = (
    Check("audit", check_audit),
    Check("audit_end", check_audit_end),
    Check("role", check_role),
)
