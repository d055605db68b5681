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
from io import BufferedReader, RawIOBase
from ipaddress import ip_address
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, unquote, urlsplit

from typing_extensions import override

from sync.conflicts import mark_effect
from sync.errors import MoodmilesError, NotConfigured, quote_server
from sync.local_requests import is_loopback_name
from sync.mail.delivery_rules import SmtpStage, name_refusal
from sync.mail_address import MailSender, encode_host
from sync.vocabulary import MailFault

# For one answer of the server, and for all that one mail takes: a server that sends
# its answers letter by letter holds nobody up for longer.  It is less than a task may
# live, and than the lease.
TIMEOUT_S = 20.0
CONVERSATION_S = 50.0
# An answer without end is none: smtplib keeps its lines in memory.
_MAX_ANSWER_BYTES = 64 * 1024
_PORTS = {"smtp": 587, "smtps": 465}
# Whether mails may go to another machine in the clear, by the end of the address.
_IS_PLAIN = {"": False, "tls=off": True}
# What smtplib signs in by; others, such as XOAUTH2, need more than a password.
_SIGN_IN_MECHANISMS = {"CRAM-MD5", "PLAIN", "LOGIN"}
_MAX_CHALLENGES = 5
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
        if not self.password:
            return text
        pair = f"\0{self.user}\0{self.password}"
        for secret in (
            _encode_response(pair),
            _encode_response(self.password),
            self.password,
        ):
            text = text.replace(secret, _MASK)
        return text

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
    """A line to the server, opened by the first mail and hung up at the end.

    `timeout_s` is for one answer, `conversation_s` for a mail from its beginning.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: MailSender,
        timeout_s: float = TIMEOUT_S,
        conversation_s: float = CONVERSATION_S,
    ) -> None:
        self._server = server
        self._sender = sender
        self._deadline = _Deadline(timeout_s, conversation_s)
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
            self._deadline.begin()
            with suppress(DeliveryFailed), self._failing_at(SmtpStage.LINE):
                self._client.quit()

    def send(self, email: EmailMessage, *, recipient: str) -> None:
        """Hand one mail over, or raise `DeliveryFailed`."""
        self._deadline.begin()
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
        if self._client is None:
            self._deadline.begin()
        with self._failing_at(SmtpStage.OPENING):
            if server.scheme == "smtps":
                self._client = _TlsClient(
                    server,
                    self._sender.host,
                    self._deadline,
                    context=_create_tls_context(server),
                )
            else:
                self._client = _Client(server, self._sender.host, self._deadline)
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
        # Servers make smtplib and what is below it raise anything: a mail that the
        # outbox cannot settle would be claimed for ever.
        except Exception as error:  # noqa: BLE001
            failure = (
                error
                if isinstance(error, DeliveryFailed)
                else _build_failure(stage, error)
            )
            failure.text = self._server.mask_secrets(failure.text)
            if self._client is not None and failure is not error:
                with suppress(OSError):
                    self._client.close()
            # smtplib hangs up by itself on 421.
            if self._client is not None and self._client.sock is None:
                self._client = None
            raise failure from None


class _OpeningFailed(Exception):
    """A server lacks what we need of it."""

    def __init__(self, fault: MailFault, text: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.text = text


class _Deadline:
    """When the server must have answered, and when a mail must be out."""

    def __init__(self, answer_s: float, conversation_s: float) -> None:
        self.answer_s = answer_s
        self._conversation_s = conversation_s
        self._answer_ends_at = self._conversation_ends_at = 0.0

    def begin(self) -> None:
        self._conversation_ends_at = monotonic() + self._conversation_s

    def begin_answer(self) -> None:
        self._answer_ends_at = monotonic() + self.answer_s

    def remaining_s(self) -> float:
        """Return how long to wait at most; raise `TimeoutError` if that is over."""
        ends_at = min(self._answer_ends_at, self._conversation_ends_at)
        remaining_s = ends_at - monotonic()
        if remaining_s <= 0:
            raise TimeoutError("the server took too long")
        return remaining_s


class _AnswerTooLong(Exception):
    """An answer has more bytes than any server's; no `OSError`, which smtplib hides."""


class _AnswerReader(RawIOBase):
    """A server's bytes, of which no answer takes too long or has too many."""

    def __init__(self, line: socket.socket, deadline: _Deadline) -> None:
        super().__init__()
        self._line = line
        self._deadline = deadline
        self._bytes_left = 0

    def begin_answer(self) -> None:
        self._bytes_left = _MAX_ANSWER_BYTES

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        if self._bytes_left <= 0:
            raise _AnswerTooLong
        # A timeout of a socket begins anew with each byte.
        self._line.settimeout(self._deadline.remaining_s())
        size = self._line.recv_into(buffer)
        self._bytes_left -= size
        return size


class _Client(smtplib.SMTP):
    """smtplib's client, which waits for no server without end.

    It also signs in with any letters: smtplib's own takes ASCII alone.
    """

    def __init__(
        self,
        server: SmtpServer,
        local_hostname: str,
        deadline: _Deadline,
        **options: Any,
    ) -> None:
        self._deadline = deadline
        self._answers: _AnswerReader | None = None
        # Asking the resolver for our own name, smtplib's default, can hang.
        super().__init__(
            server.host,
            server.port,
            local_hostname=local_hostname,
            timeout=deadline.answer_s,
            **options,
        )

    @override
    def send(self, s: Any) -> None:
        if self.sock is not None:
            self._deadline.begin_answer()
            self.sock.settimeout(self._deadline.remaining_s())
        super().send(s)

    @override
    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self._answers = _AnswerReader(self.sock, self._deadline)
            self.file = BufferedReader(self._answers)
        if self._answers is not None:
            self._answers.begin_answer()
        self._deadline.begin_answer()
        try:
            return super().getreply()
        except _AnswerTooLong:
            self.close()
            raise smtplib.SMTPResponseException(-1, "an answer without end") from None

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
    return quote_server(
        text.decode(errors="replace") if isinstance(text, bytes) else text
    )


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
