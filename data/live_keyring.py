"""The keyring of a running process, which follows changes of its file without a restart."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from data.crypto import Key, Keyring, KeyringDocument, KeyringFault, parse_document, read_document
from data.database import reading
from data.postgresql import NotDurable
from data.sealing_keys import verify_keys

log = logging.getLogger("clinic_api")

# Time until the next attempt to load a changed file when the database did not answer.
_RETRY_SECONDS = 1.0

Source = Callable[[Session], KeyringDocument]


def read_file(session: Session, *, file: Path, strict: bool) -> KeyringDocument:
    """The keyring in a file. Raises `KeyringFault` if it may not be used with this data.

    With `strict`, as in production, only the owner may have access to the file, and an operator
    must have made the keys.
    """
    document = read_document(file, private=strict)
    _require_usable(session, document, strict=strict)
    return document


def read_text(session: Session, *, text: str, source: str, strict: bool) -> KeyringDocument:
    """The same for a keyring in a text; `source` names it in messages."""
    document = parse_document(text, source=source)
    _require_usable(session, document, strict=strict)
    return document


def _require_usable(session: Session, document: KeyringDocument, *, strict: bool) -> None:
    verify_keys(session, Keyring(document))
    if strict and document.generated:
        raise KeyringFault(
            "the service generated them for trials: "
            "make your own with `python main.py keys create FILE`"
        )


class LiveKeyring(Keyring):
    """A keyring that loads its file again when the file changes.

    New keys are accepted if the service could start with them. Otherwise the previous keys stay
    in use, and `fault` contains the reason.
    """

    def __init__(self, engine: Engine, *, read: Source, file: Path | None) -> None:
        self._engine = engine
        self._read = read
        self._file = file
        self._lock = threading.Lock()
        self._retry_at = 0.0
        self.fault: str | None = None
        # Taken before the file is read, so that a change during the read is noticed.
        self._seen = _signature(file)
        self._current = self._load()

    @property
    def keys(self) -> dict[str, Key]:
        return self._current.keys

    @property
    def active(self) -> Key:
        return self._current.active

    @property
    def generated(self) -> bool:
        return self._current.generated

    def snapshot(self) -> Keyring:
        return self._current

    def unseal(self, sealed: bytes, *, location: str) -> bytes:
        if not self.has_key_of(sealed):
            # Another process may have sealed the value with a key that was added just now.
            self.reload_if_changed()
        return super().unseal(sealed, location=location)

    @property
    def is_stale(self) -> bool:
        """Whether the file changed since the last check and may be loaded now; costs one `stat`."""
        return _signature(self._file) != self._seen and time.monotonic() >= self._retry_at

    def reload_if_changed(self) -> None:
        """Loads the file if it changed; keys that do not fit the data are refused and logged."""
        with self._lock:
            if self.is_stale:
                self._reload()

    def _reload(self) -> None:
        seen = _signature(self._file)
        try:
            self._current = self._load()
        except KeyringFault as fault:
            self._refuse(str(fault))
        except (SQLAlchemyError, NotDurable) as error:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            self._refuse(f"the database does not answer ({type(error).__name__})")
            return
        else:
            log.info("the keys were loaded from the changed file; %s is active", self.active.id)
            self.fault = None
        self._seen = seen

    def _refuse(self, fault: str) -> None:
        if fault != self.fault:
            log.error("the previous keys stay in use: %s", fault)
        self.fault = fault

    def _load(self) -> Keyring:
        with reading(self._engine) as session:
            return Keyring(self._read(session))


def _signature(file: Path | None) -> tuple[int, ...] | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    # A change of the owner or the mode changes only `st_ctime_ns`.
    return found.st_mtime_ns, found.st_ino, found.st_size, found.st_ctime_ns
