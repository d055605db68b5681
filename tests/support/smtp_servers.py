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

from tests.support.servers import HOST, PATIENCE_S, free_port

OK = "250 OK"


@dataclass
class Post:
    """What the server says at each step, and what it has taken so far."""

    on_sender: str = OK
    on_recipient: Callable[[str], str] = lambda _address: OK
    on_content: str = OK
    drops_after_data: bool = False
    before_reply: Callable[[], None] = lambda: None
    taken: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    users: list[bytes] = field(default_factory=list)
    url: str = ""

    @property
    def letters(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.taken]

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
        return self.on_sender

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        reply = self.on_recipient(address)
        if reply == OK:
            envelope.rcpt_tos.append(address)
            self.recipients.append(address)
        return reply

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.on_content == OK:
            self.taken.append(bytes(envelope.original_content or b""))
        self.before_reply()
        if self.drops_after_data and isinstance(server.transport, Transport):
            server.transport.abort()
        return self.on_content

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, way: str, data: Any
    ) -> AuthResult:
        self.users.append(data.login)
        return AuthResult(success=data.password == b"right/word", handled=False)


@contextmanager
def listening(post: Post | None = None, **options: Any) -> Generator[Post]:
    """Run the server on a free port of loopback until the block ends."""
    post = post or Post()
    port = free_port()
    post.url = f"smtp://{HOST}:{port}"
    controller = Controller(
        post, hostname=HOST, port=port, ready_timeout=PATIENCE_S, **options
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


class Hush:
    """Holds the server's reply back until it is let go."""

    def __init__(self) -> None:
        self._go = Event()

    def wait(self) -> None:
        self._go.wait(PATIENCE_S)

    def let_go(self) -> None:
        self._go.set()


def server_tls(folder: Path, *, ends_at: datetime | None = None) -> ssl.SSLContext:
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
