"""E-mail over SMTP (RFC 5321)."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

from models.delivery import DELIVERED, RECIPIENT
from models.email_address import parse_email_address
from models.values import utc_now

_TIMEOUT_SECONDS = 15.0
_PORTS = {"smtp": 587, "smtps": 465}
# Some reply codes to a recipient's address are about the sender: the server shuts down (421), it
# requires a login (530), it does not relay (554).
_ABOUT_SENDER = {421, 530, 554}
# Enhanced status codes about the sender (RFC 3463, X.7.X: security or policy).
_POLICY = re.compile(rb"[45]\.7\.")


@dataclass(frozen=True)
class Letter:
    """An e-mail without its envelope. `key` is the same in each attempt to send it."""

    recipient: str
    subject: str
    text: str
    key: str


@dataclass(frozen=True)
class MailServer:
    """The SMTP server that sends letters, and their sender address."""

    url: str = field(repr=False)
    sender: str
    # Whether connections without TLS are allowed.
    plain: bool = False


class _NotSent(Exception):
    """The letter was not sent. The message is the outcome in a word."""


def send_letter(letter: Letter, *, server: MailServer) -> str:
    """Sends the letter to the server; returns the outcome in a word."""
    try:
        _send(letter, server)
    except _NotSent as reason:
        return str(reason)
    except smtplib.SMTPRecipientsRefused as error:
        [(code, reply)] = error.recipients.values()
        is_about_sender = code in _ABOUT_SENDER or _POLICY.match(reply)
        return f"smtp_{code}" if is_about_sender else f"{RECIPIENT}{code}"
    except smtplib.SMTPResponseException as error:
        return f"smtp_{error.smtp_code}"
    except ssl.SSLError:
        return "tls_failed"
    except TimeoutError:
        return "timeout"
    except (smtplib.SMTPException, OSError):
        return "unreachable"
    return DELIVERED


def _send(letter: Letter, server: MailServer) -> None:
    recipient = parse_email_address(letter.recipient, may_be_test=True)
    if recipient is None:
        # An invalid address is never sent to the server.
        raise _NotSent(f"{RECIPIENT}invalid")
    address = recipient.ascii_email or recipient.normalized
    message = _message(letter, sender=server.sender, recipient=address)
    with _connected(server) as smtp:
        if not address.isascii() and not smtp.has_extn("smtputf8"):
            raise _NotSent(f"{RECIPIENT}unsupported")
        # Without these addresses, smtplib takes them from the header fields.
        smtp.send_message(message, from_addr=server.sender, to_addrs=[address])


def _message(letter: Letter, *, sender: str, recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(utc_now())
    domain = sender.rpartition("@")[2]
    # The same in each attempt, so that the recipient's software can recognise a duplicate.
    message["Message-ID"] = f"<{letter.key}@{domain}>" if domain else make_msgid()
    # Asks automatic responders not to answer (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        smtp.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and not server.plain:
            if not smtp.has_extn("starttls"):
                raise _NotSent("tls_missing")
            smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
        if parts.username is not None:
            _log_in(smtp, unquote(parts.username), unquote(parts.password or ""))
        yield smtp
    finally:
        # A connection that breaks now does not change the outcome of the letter.
        with suppress(OSError):
            smtp.quit()


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    try:
        smtp.login(user, password)
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException:
        # The server offers no login, or only methods that smtplib does not support.
        raise _NotSent("login_missing") from None
