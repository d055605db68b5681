"""A real SMTP server that behaves as well, or as badly, as a test asks."""

import ssl
from asyncio import Transport
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Event
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.servers import HOST, TIMEOUT_S, free_port

OK = "250 OK"


@dataclass
class FakeSmtpServer:
    """What the server says at each step, and what it has taken so far."""

    sender_reply: str = OK
    get_recipient_reply: Callable[[str], str] = lambda _address: OK
    content_reply: str = OK
    drops_after_data: bool = False
    before_reply: Callable[[], None] = lambda: None
    raw_mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    users: list[bytes] = field(default_factory=list)
    url: str = ""

    @property
    def emails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(raw, policy=policy.default) for raw in self.raw_mails
        ]

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_MAIL(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        envelope.mail_from = address
        return self.sender_reply

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        reply = self.get_recipient_reply(address)
        if reply == OK:
            envelope.rcpt_tos.append(address)
            self.recipients.append(address)
        return reply

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.content_reply == OK:
            self.raw_mails.append(bytes(envelope.original_content or b""))
        self.before_reply()
        if self.drops_after_data and isinstance(server.transport, Transport):
            server.transport.abort()
        return self.content_reply

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, way: str, data: Any
    ) -> AuthResult:
        self.users.append(data.login)
        return AuthResult(success=data.password == b"right/word", handled=False)


@contextmanager
def run_smtp_server(
    post: FakeSmtpServer | None = None, **options: Any
) -> Generator[FakeSmtpServer]:
    """Run the server on a free port of loopback until the block ends."""
    post = post or FakeSmtpServer()
    port = free_port()
    post.url = f"smtp://{HOST}:{port}"
    controller = Controller(
        post, hostname=HOST, port=port, ready_timeout=TIMEOUT_S, **options
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


class ReplyBlocker:
    """Holds the server's reply back until it is let go."""

    def __init__(self) -> None:
        self._released = Event()

    def wait(self) -> None:
        self._released.wait(TIMEOUT_S)

    def release(self) -> None:
        self._released.set()


def build_server_tls(
    folder: Path, *, ends_at: datetime | None = None
) -> ssl.SSLContext:
    """Return a TLS context under a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    ends_at = ends_at or datetime.now(UTC) + timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends_at - timedelta(days=2))
        .not_valid_after(ends_at)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
