"""Servers on loopback: for e-mail, for webhooks, and a proxy with its own error pages."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.process import free_port
from tests.support.waiting import PATIENCE


class Mailbox:
    """An SMTP server that stores the messages it accepts; `reply` answers each recipient."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.senders: list[str] = []
        self.recipients: list[str] = []
        self.reply = "250 OK"

    @property
    def letters(self) -> list[Message]:
        return [message_from_bytes(raw) for raw in self.raw]

    async def handle_MAIL(  # noqa: N802 (its name in aiosmtpd)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.senders.append(address)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 (its name in aiosmtpd)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.reply.startswith("2"):
            self.recipients.append(address)
            envelope.rcpt_tos.append(address)
        return self.reply

    async def handle_DATA(  # noqa: N802 (its name in aiosmtpd)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        return "250 OK"


@contextmanager
def mail_server(
    certificate: Path | None = None, *, port: int | None = None, **options: Any
) -> Iterator[tuple[Mailbox, str]]:
    """Runs a mailbox and yields its address; with a certificate it offers STARTTLS."""
    mailbox = Mailbox()
    if certificate:
        options["tls_context"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options["tls_context"].load_cert_chain(certificate)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    try:
        yield mailbox, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


class Receiver:
    """The state of an HTTP server that stores what it receives.

    It answers with `status` and `headers`, and only while `answers` is set.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0
        self.status = 204
        self.headers: dict[str, str] = {}
        self.answers = Event()
        self.answers.set()
        self.url = ""


@contextmanager
def http_receiver(certificate: Path | None = None) -> Iterator[Receiver]:
    """Runs a receiver; with a certificate (a PEM file that contains the key) it uses TLS."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.messages.append((dict(self.headers), body))
            receiver.answers.wait(PATIENCE)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def get_request(self) -> Any:
            receiver.connections += 1
            return super().get_request()

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        receiver.url = f"{scheme}://127.0.0.1:{server.server_port}/hook"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def proxy_with_own_pages() -> Iterator[str]:
    """Runs a server that answers like a proxy without a service.

    Each answer is an HTML page with the status that the path begins with.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = b"<!doctype html><title>Bad gateway</title>"
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(int(self.path.split("/")[1]))
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        do_POST = do_GET  # noqa: N815 (its name in http.server)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
