"""The conversation with the mail server: one connection for many mails.

smtplib's words stop here: every failure leaves as `DeliveryFailed`.
"""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from sync.conflicts import mark_effect
from sync.errors import MoodmilesError, NotConfigured
from sync.local_requests import is_loopback_name
from sync.mail.delivery_rules import SmtpStage
from sync.mail_address import MailSender

# One mail takes at most about eight answers of the server, so it ends, one way
# or another, well within the lease.
TIMEOUT_S = 20.0
_PORTS = {"smtp": 587, "smtps": 465}
# Whether mails may go to another machine in the clear, by the end of the address.
_IS_PLAIN = {"": False, "tls=off": True}

NO_STARTTLS = "the server offers no STARTTLS"
UNTRUSTED_CERTIFICATE = ssl.SSLCertVerificationError.__name__


class DeliveryFailed(MoodmilesError):
    """A mail was not taken: at which stage, and the server's own words."""

    def __init__(self, stage: SmtpStage, code: int = 0, text: str = "") -> None:
        super().__init__(f"The mail server said no ({stage}, {code or 'no code'}).")
        self.stage = stage
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

    @classmethod
    def from_url(cls, url: str) -> "SmtpServer":
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
            is_plain = _IS_PLAIN[parts.query]
        except (KeyError, ValueError):
            raise _build_url_error() from None
        if not parts.hostname or (is_plain and parts.scheme == "smtps"):
            raise _build_url_error()
        server = cls(
            parts.scheme,
            parts.hostname,
            port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            is_plain=is_plain,
        )
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
            try:
                self._client.quit()
            except (smtplib.SMTPException, OSError):
                self._close()

    def send(self, email: EmailMessage, *, recipient: str) -> None:
        """Hand one mail over, or raise `DeliveryFailed`."""
        client = self._client or self.open()
        mark_effect()  # whatever comes next, the mail may be out
        try:
            client.send_message(email, self._sender.address, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[recipient]
            raise _build_failure(SmtpStage.RECIPIENT, code, text) from None
        except smtplib.SMTPSenderRefused as error:
            raise _build_failure(
                SmtpStage.SENDER, error.smtp_code, error.smtp_error
            ) from None
        except smtplib.SMTPDataError as error:
            raise _build_failure(
                SmtpStage.CONTENT, error.smtp_code, error.smtp_error
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            raise DeliveryFailed(SmtpStage.LINE, text=type(error).__name__) from None
        finally:
            # smtplib hangs up by itself on 421.
            if self._client is not None and self._client.sock is None:
                self._client = None

    def open(self) -> smtplib.SMTP:
        """Connect, encrypt the line, check the server's certificate, and sign in.

        A line without TLS is one to this very machine, or one that the host wished
        for.  Raises `DeliveryFailed` if a step fails.
        """
        server = self._server
        # Asking the resolver for our own name, smtplib's default, can hang.
        own_hostname = self._sender.host
        try:
            if server.scheme == "smtps":
                self._client = smtplib.SMTP_SSL(
                    server.host,
                    server.port,
                    local_hostname=own_hostname,
                    timeout=self._timeout_s,
                    context=_create_tls_context(server),
                )
            else:
                self._client = smtplib.SMTP(
                    server.host,
                    server.port,
                    local_hostname=own_hostname,
                    timeout=self._timeout_s,
                )
                self._client.ehlo_or_helo_if_needed()
                if self._client.has_extn("starttls") and not server.is_plain:
                    self._client.starttls(context=_create_tls_context(server))
                elif not server.is_local and not server.is_plain:
                    # Left open, the next mail would take this very line.
                    self._close()
                    raise DeliveryFailed(SmtpStage.OPENING, text=NO_STARTTLS)
            if server.user:
                self._client.login(server.user, server.password)
        except smtplib.SMTPResponseException as error:
            self._close()
            raise _build_failure(
                SmtpStage.OPENING, error.smtp_code, error.smtp_error
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            raise DeliveryFailed(SmtpStage.OPENING, text=type(error).__name__) from None
        return self._client

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _create_tls_context(server: SmtpServer) -> ssl.SSLContext:
    """Return a context that checks names, but that of this very machine."""
    context = ssl.create_default_context()
    if server.is_local:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _build_failure(stage: SmtpStage, code: int, text: bytes | str) -> DeliveryFailed:
    decoded = text.decode(errors="replace") if isinstance(text, bytes) else text
    return DeliveryFailed(stage, code, decoded)


def _build_url_error() -> NotConfigured:
    return NotConfigured(
        "MOODMILES_SMTP_URL must look like smtp://user:password@host:587, "
        "smtps://user:password@host or, without encryption, smtp://host:25?tls=off."
    )
