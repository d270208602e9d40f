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

_SECONDS = 15.0
_PORTS = {"smtp": 587, "smtps": 465}
# Replies to a recipient's address that are about the sender: leaving, no login, no relaying.
_ABOUT_SENDER = {421, 530, 554}
# The same in an enhanced status code (RFC 3463, X.7.X: security or policy).
_POLICY = re.compile(rb"[45]\.7\.")


@dataclass(frozen=True)
class Letter:
    """A message before it has an envelope; `key` is the same whenever it is sent again."""

    recipient: str
    subject: str
    text: str
    key: str


@dataclass(frozen=True)
class MailServer:
    """Where letters are handed in, and the address they come from."""

    url: str = field(repr=False)
    sender: str
    # Whether it may be spoken to without TLS.
    plain: bool = False


class _NotSent(Exception):
    """The letter was not handed over; the text is the outcome in a word."""


def send_letter(letter: Letter, *, server: MailServer) -> str:
    """Hands the letter to the server; what came of it in a word."""
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
        # It is judged before the server hears of it.
        raise _NotSent(f"{RECIPIENT}invalid")
    address = recipient.ascii_email or recipient.normalized
    message = _message(letter, sender=server.sender, recipient=address)
    with _connected(server) as smtp:
        if not address.isascii() and not smtp.has_extn("smtputf8"):
            raise _NotSent(f"{RECIPIENT}unsupported")
        # The envelope is given: smtplib would read it out of the header fields.
        smtp.send_message(message, from_addr=server.sender, to_addrs=[address])


def _message(letter: Letter, *, sender: str, recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(utc_now())
    domain = sender.rpartition("@")[2]
    # A recipient who gets the letter twice can tell.
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
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(host, port, timeout=_SECONDS)
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
        # A letter that was accepted stays accepted, even when the connection then breaks.
        with suppress(OSError):
            smtp.quit()


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    try:
        smtp.login(user, password)
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException:
        # The server offers no login, or only methods that are not known here.
        raise _NotSent("login_missing") from None
