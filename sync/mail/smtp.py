"""The conversation with the mail server: one connection for many mails.

smtplib's words stop here: every failure leaves as `DeliveryFailed`.
"""

import base64
import hmac
import smtplib
import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from threading import Event, Timer
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from typing_extensions import override

from sync.conflicts import mark_effect
from sync.errors import MoodmilesError, NotConfigured
from sync.local_requests import is_loopback_name
from sync.mail.delivery_rules import SmtpStage, name_refusal
from sync.mail_address import MailSender, encode_host
from sync.vocabulary import MailFault

# One mail takes at most about eight answers of the server, so it ends, one way
# or another, well within the lease.
TIMEOUT_S = 20.0
_PORTS = {"smtp": 587, "smtps": 465}
# Whether mails may go to another machine in the clear, by the end of the address.
_IS_PLAIN = {"": False, "tls=off": True}
# What smtplib signs in by; others, such as XOAUTH2, need more than a password.
_SIGN_IN_MECHANISMS = {"CRAM-MD5", "PLAIN", "LOGIN"}
_MAX_CHALLENGES = 5
_MAX_TEXT_LENGTH = 200
_MASK = "***"

# https://docs.openssl.org/3.0/man1/openssl-verification-options/#diagnostics
_CERTIFICATE_FAULTS = {
    9: MailFault.CERTIFICATE_NOT_YET_VALID,
    10: MailFault.CERTIFICATE_EXPIRED,
    62: MailFault.CERTIFICATE_OF_ANOTHER_NAME,
    64: MailFault.CERTIFICATE_OF_ANOTHER_NAME,
}
# What OpenSSL calls the first bytes of a server that greets in the clear.
_NO_TLS_REASONS = {
    "WRONG_VERSION_NUMBER",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNEXPECTED_MESSAGE",
    "HTTP_REQUEST",
}
# The first that fits: some of these classes are others, too.
_FAULTS_BY_CLASS: Sequence[tuple[type[Exception], MailFault]] = (
    (smtplib.SMTPServerDisconnected, MailFault.HUNG_UP),
    (smtplib.SMTPException, MailFault.NOT_FORESEEN),
    (ssl.SSLEOFError, MailFault.HUNG_UP),
    (ssl.SSLError, MailFault.TLS_FAILED),
    (socket.gaierror, MailFault.NAME_NOT_FOUND),
    (UnicodeError, MailFault.NAME_NOT_FOUND),
    (ConnectionRefusedError, MailFault.CONNECTION_REFUSED),
    (TimeoutError, MailFault.CONNECTION_TIMED_OUT),
    (ConnectionError, MailFault.HUNG_UP),
    (OSError, MailFault.UNREACHABLE),
)


class DeliveryFailed(MoodmilesError):
    """A mail was not taken: at which stage, why, and the server's own words."""

    def __init__(
        self, stage: SmtpStage, fault: MailFault, *, code: int = 0, text: str = ""
    ) -> None:
        super().__init__(f"The mail server said no ({stage}: {fault}).")
        self.stage = stage
        self.fault = fault
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails go, read from `smtp://user:password@host:587` or `smtps://`.

    `is_plain` is the host's wish, `smtp://host:25?tls=off`, to send sign-in links and
    all else without TLS; a password never goes that way to another machine.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    is_plain: bool = False

    @property
    def is_local(self) -> bool:
        return is_loopback_name(self.host)

    def mask_secrets(self, text: str) -> str:
        """Return a server's words without our password, which some repeat."""
        pair = f"\0{self.user}\0{self.password}"
        for secret in (_encode_response(pair), _encode_response(self.password)):
            text = text.replace(secret, _MASK) if self.password else text
        return text.replace(self.password, _MASK) if self.password else text

    @classmethod
    def from_url(cls, url: str) -> "SmtpServer":
        """Read the address; raises `NotConfigured` with a sentence."""
        try:
            parts = urlsplit(url)
            is_plain = _IS_PLAIN[parts.query]
            server = cls(
                parts.scheme,
                _encode_server_name(parts.hostname or ""),
                _PORTS[parts.scheme] if parts.port is None else parts.port,
                _decode_credential(parts.username),
                _decode_credential(parts.password),
                is_plain=is_plain,
            )
        except (KeyError, ValueError):
            raise _build_url_error() from None
        if not _is_whole_address(parts, server):
            raise _build_url_error()
        if server.is_plain and server.user and not server.is_local:
            raise NotConfigured(
                "MOODMILES_SMTP_URL: with ?tls=off there is no password, which would "
                "travel in the clear."
            )
        return server


class SmtpConnection:
    """A line to the server, opened by the first mail and hung up at the end."""

    def __init__(
        self, server: SmtpServer, *, sender: MailSender, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._server = server
        self._sender = sender
        self._timeout_s = timeout_s
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            with suppress(DeliveryFailed), self._failing_at(SmtpStage.LINE):
                self._client.quit()

    def send(self, email: EmailMessage, *, recipient: str) -> None:
        """Hand one mail over, or raise `DeliveryFailed`."""
        client = self._client or self.open()
        mark_effect()  # whatever comes next, the mail may be out
        with self._failing_at(SmtpStage.LINE):
            try:
                client.send_message(email, self._sender.address, [recipient])
            except smtplib.SMTPRecipientsRefused as error:
                code, text = error.recipients[recipient]
                raise _build_refusal(SmtpStage.RECIPIENT, code, text) from None
            except smtplib.SMTPSenderRefused as error:
                raise _build_refusal(
                    SmtpStage.SENDER, error.smtp_code, error.smtp_error
                ) from None
            except smtplib.SMTPDataError as error:
                raise _build_refusal(
                    SmtpStage.CONTENT, error.smtp_code, error.smtp_error
                ) from None
            except smtplib.SMTPNotSupportedError:
                # What RFC 6531 has a server say that knows ASCII addresses alone.
                raise _build_refusal(SmtpStage.RECIPIENT, 553, "") from None

    def open(self) -> smtplib.SMTP:
        """Connect, encrypt the line, check the server's certificate, and sign in.

        A line without TLS is one to this very machine, or one that the host wished
        for.  Raises `DeliveryFailed` if a step fails.
        """
        server = self._server
        with self._failing_at(SmtpStage.OPENING):
            if server.scheme == "smtps":
                # Asking the resolver for our own name, smtplib's default, can hang.
                self._client = _TlsClient(
                    server.host,
                    server.port,
                    local_hostname=self._sender.host,
                    timeout=self._timeout_s,
                    context=_create_tls_context(server),
                )
            else:
                self._client = _Client(
                    server.host,
                    server.port,
                    local_hostname=self._sender.host,
                    timeout=self._timeout_s,
                )
                self._client.ehlo_or_helo_if_needed()
                if self._client.has_extn("starttls") and not server.is_plain:
                    self._client.starttls(context=_create_tls_context(server))
                elif not server.is_local and not server.is_plain:
                    raise _OpeningFailed(MailFault.NO_STARTTLS)
            self._client.ehlo_or_helo_if_needed()
            if server.user:
                self._client.sign_in(server.user, server.password)
            return self._client

    def try_sender(self) -> None:
        """Go as far as a mail goes without a recipient; raises `DeliveryFailed`."""
        client = self._client or self.open()
        with self._failing_at(SmtpStage.LINE):
            code, text = client.mail(self._sender.address)
            if code != 250:
                raise _build_refusal(SmtpStage.SENDER, code, text)
            client.rset()

    @contextmanager
    def _failing_at(self, stage: SmtpStage) -> Generator[None]:
        """Let every failure leave as `DeliveryFailed`, and no broken line stay open.

        A refusal of one mail leaves the line open to the next.
        """
        try:
            yield
        except DeliveryFailed as failure:
            failure.text = self._server.mask_secrets(failure.text)
            # smtplib hangs up by itself on 421.
            if self._client is not None and self._client.sock is None:
                self._client = None
            raise
        # Servers make smtplib and what is below it raise anything: a mail that the
        # outbox cannot settle would be claimed for ever.
        except Exception as error:  # noqa: BLE001
            self._close()
            unforeseen = _build_failure(stage, error)
            unforeseen.text = self._server.mask_secrets(unforeseen.text)
            raise unforeseen from None

    def _close(self) -> None:
        if self._client is not None:
            with suppress(OSError):
                self._client.close()
            self._client = None


class _OpeningFailed(Exception):
    """A server lacks what we need of it."""

    def __init__(self, fault: MailFault, text: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.text = text


class _Client(smtplib.SMTP):
    """smtplib's client, which signs in with any letters: its own takes ASCII alone.

    And it waits for the end of an answer no longer than for its beginning.
    """

    @override
    def getreply(self) -> tuple[int, bytes]:
        """Do what smtplib does, which a server could keep waiting letter by letter."""
        is_late = Event()
        line = self.sock
        if line is None:
            raise smtplib.SMTPServerDisconnected("no line")

        def hang_up() -> None:
            is_late.set()
            with suppress(OSError):
                # Not TLS' own: the other thread is still reading from it.
                socket.socket.shutdown(line, socket.SHUT_RDWR)

        timer = Timer(self.timeout, hang_up)
        timer.daemon = True
        timer.start()
        try:
            return super().getreply()
        finally:
            timer.cancel()
            if is_late.is_set():
                self.close()
                raise _OpeningFailed(MailFault.ANSWER_TIMED_OUT)

    def sign_in(self, user: str, password: str) -> None:
        """Sign in by the mechanisms that the server offers and smtplib knows."""
        offered = self.esmtp_features.get("auth", "").upper()
        if not offered.strip():
            raise _OpeningFailed(MailFault.NO_SIGN_IN)
        self.esmtp_features["auth"] = offered  # smtplib compares it letter by letter
        if not _SIGN_IN_MECHANISMS & set(offered.split()):
            raise _OpeningFailed(MailFault.UNKNOWN_SIGN_IN, offered)
        self.login(user, password)

    @override
    def auth(
        self,
        mechanism: str,
        authobject: Callable[..., str | None],
        *,
        initial_response_ok: bool = True,
    ) -> tuple[int, bytes]:
        """Do what smtplib does, with UTF-8 as RFC 4616 wants it."""
        first = authobject() if initial_response_ok else None
        command = f"AUTH {mechanism}"
        # smtplib's LOGIN gives the user first, and the password second.
        self._auth_challenge_count = 0
        if first is not None:
            command += f" {_encode_response(first)}"
            self._auth_challenge_count = 1
        code, text = self.docmd(command)
        while code == 334 and self._auth_challenge_count <= _MAX_CHALLENGES:
            self._auth_challenge_count += 1
            challenge = base64.decodebytes(text)
            code, text = self.docmd(_encode_response(authobject(challenge) or ""))
        if code in {235, 503}:  # 503: signed in already
            return code, text
        raise smtplib.SMTPAuthenticationError(code, text)

    @override
    def auth_cram_md5(self, challenge: bytes | None = None) -> str | None:  # type: ignore[override]
        if challenge is None:
            return None
        password: str = self.password
        digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
        return f"{self.user} {digest}"


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""


def speaks_tls(server: SmtpServer, *, timeout_s: float) -> bool:
    """Whether a server speaks TLS from the first byte, under any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((server.host, server.port), timeout_s) as line,
            context.wrap_socket(line),
        ):
            return True
    except (OSError, ValueError):
        return False


def diagnose(error: Exception) -> MailFault:
    """Return what an exception of smtplib, or of what is below it, means."""
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE_FAULTS.get(
                error.verify_code, MailFault.CERTIFICATE_UNTRUSTED
            )
        case ssl.SSLError() if error.reason in _NO_TLS_REASONS:
            return MailFault.NO_TLS
        # smtplib hides what the socket raised behind an error of its own.
        case smtplib.SMTPServerDisconnected() if isinstance(
            error.__context__, TimeoutError
        ):
            return MailFault.ANSWER_TIMED_OUT
        case TimeoutError() if "handshake" in str(error):
            return MailFault.ANSWER_TIMED_OUT
    return next(
        (fault for kind, fault in _FAULTS_BY_CLASS if isinstance(error, kind)),
        MailFault.NOT_FORESEEN,
    )


def _create_tls_context(server: SmtpServer) -> ssl.SSLContext:
    """Return a context that checks names, but that of this very machine."""
    context = ssl.create_default_context()
    if server.is_local:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _build_failure(stage: SmtpStage, error: Exception) -> DeliveryFailed:
    match error:
        case smtplib.SMTPAuthenticationError() if 500 <= error.smtp_code < 600:
            return DeliveryFailed(
                stage,
                MailFault.PASSWORD_REFUSED,
                code=error.smtp_code,
                text=_decode_text(error.smtp_error),
            )
        case smtplib.SMTPResponseException():
            refusal = _build_refusal(stage, error.smtp_code, error.smtp_error)
            # A number of its own, and words of its own, come from smtplib.
            if error.smtp_code == -1 or isinstance(error.smtp_error, str):
                refusal.fault = MailFault.NOT_SMTP
            return refusal
        case _OpeningFailed():
            return DeliveryFailed(stage, error.fault, text=error.text)
        case _:
            return DeliveryFailed(stage, diagnose(error), text=type(error).__name__)


def _build_refusal(stage: SmtpStage, code: int, text: bytes | str) -> DeliveryFailed:
    decoded = _decode_text(text)
    return DeliveryFailed(
        stage, name_refusal(stage, code, decoded), code=code, text=decoded
    )


def _decode_text(text: bytes | str) -> str:
    """Return a server's words on one line, of a bounded length."""
    decoded = text.decode(errors="replace") if isinstance(text, bytes) else text
    shown = "".join(sign if sign.isprintable() else " " for sign in decoded)
    return " ".join(shown.split())[:_MAX_TEXT_LENGTH]


def _encode_response(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _encode_server_name(host: str) -> str:
    """Return a server's name in ASCII, or its address; raise `ValueError`."""
    if host.isascii():
        return host
    with suppress(ValueError):
        return str(ip_address(host))
    return encode_host(host)


def _decode_credential(text: str | None) -> str:
    """Return a user or password as it is; raise `ValueError` if it is not UTF-8."""
    decoded = unquote(text or "", errors="strict")
    decoded.encode()  # half a character of the environment cannot be sent
    if "\0" in decoded:
        raise ValueError("RFC 4616 parts user and password by NUL")
    return decoded


def _is_whole_address(parts: SplitResult, server: SmtpServer) -> bool:
    """Whether nothing was cut off, as by an unquoted slash in a password."""
    is_encrypted_and_plain = server.is_plain and server.scheme == "smtps"
    return bool(
        server.host
        and server.port
        and parts.path in {"", "/"}
        and not parts.fragment
        and not is_encrypted_and_plain
    )


def _build_url_error() -> NotConfigured:
    return NotConfigured(
        "MOODMILES_SMTP_URL must look like smtp://user:password@host:587, "
        "smtps://user:password@host or, without encryption, smtp://host:25?tls=off; "
        "in a user or a password write % / ? # @ : as %25 %2F %3F %23 %40 %3A."
    )
