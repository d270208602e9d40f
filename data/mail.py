"""E-mail over SMTP (RFC 5321)."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from models.values import utc_now

_SECONDS = 15.0
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Letter:
    """A message before it has an envelope; `key` is the same whenever it is sent again."""

    recipient: str
    subject: str
    text: str
    key: str


def send_letter(letter: Letter, *, server: str, sender: str) -> None:
    """Hands the letter to the server; raises `smtplib.SMTPException`, `OSError`."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(utc_now())
    domain = sender.rpartition("@")[2]
    # Who gets it twice can tell.
    message["Message-ID"] = f"<{letter.key}@{domain}>" if domain else make_msgid()
    # Nobody's holiday note has to come back (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    with _connected(urlsplit(server)) as smtp:
        smtp.send_message(message)


@contextmanager
def _connected(server: SplitResult) -> Iterator[smtplib.SMTP]:
    host, port = server.hostname or "", server.port or _PORTS[server.scheme]
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(host, port, timeout=_SECONDS)
    with smtp:
        smtp.ehlo_or_helo_if_needed()
        if server.scheme == "smtp" and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
        if server.username is not None:
            if not isinstance(smtp.sock, ssl.SSLSocket):
                # Anybody on the way could read the password.
                raise smtplib.SMTPNotSupportedError("no TLS")
            smtp.login(unquote(server.username), unquote(server.password or ""))
        yield smtp
