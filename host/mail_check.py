"""The doctor's conversation with the mail server, as far as a mail goes.

It opens the line by the code that sends mails and names our sender, so that a fault
is the very one that mails would meet; each is one sentence with its cure.
"""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select

from host.check_runtime import open_runtime
from host.errors import ActionRequired, quote_words
from sync.errors import MoodmilesError
from sync.mail.deliver import MAIL_COUNTER
from sync.mail.smtp import DeliveryFailed, SmtpConnection, SmtpServer, speaks_tls
from sync.models import Counter
from sync.settings import Settings
from sync.vocabulary import MailFault

_TIMEOUT_S = 5
_RECENT = timedelta(days=1)
_URL = "MOODMILES_SMTP_URL"
# A server that waits for TLS says nothing, hangs up, or says so in bytes.
_FAULTS_OF_A_TLS_PORT = {
    MailFault.ANSWER_TIMED_OUT,
    MailFault.HUNG_UP,
    MailFault.NOT_SMTP,
}
# Of one recipient or one mail: they say nothing about the line that was just tried.
_FAULTS_OF_ONE_MAIL = {
    MailFault.RECIPIENT_UNKNOWN,
    MailFault.MAILBOX_FULL,
    MailFault.TOO_LARGE,
    MailFault.QUOTA_USED_UP,
    MailFault.CONTENT_REFUSED,
}

# {place} is the server's host and port, {words} what it said, {sender} our address.
SENTENCES: dict[MailFault, str] = {
    MailFault.NAME_NOT_FOUND: (
        "No machine is called {host}: correct the host in {url}, or this machine's "
        "name server."
    ),
    MailFault.CONNECTION_REFUSED: (
        "{place} refuses the connection: start the mail server, or correct host and "
        "port in {url}."
    ),
    MailFault.UNREACHABLE: (
        "There is no way from here to {place}: look at this machine's network, or "
        "correct the host in {url}."
    ),
    MailFault.CONNECTION_TIMED_OUT: (
        "{place} cannot be reached within {timeout} s: providers often block ports 25, "
        "465 and 587, so ask yours to open one, or name another port in {url}."
    ),
    MailFault.ANSWER_TIMED_OUT: (
        "{place} takes the connection and then says nothing for {timeout} s: it is "
        "overloaded, or another port belongs in {url}."
    ),
    MailFault.HUNG_UP: (
        "{place} hung up in the middle: it may block this machine's address or be "
        "about to stop, so look at its log."
    ),
    MailFault.NOT_SMTP: (
        "What answers at {place} is no mail server ({words}): correct the port in "
        "{url}, which is mostly 587."
    ),
    MailFault.BUSY: (
        "{place} takes nothing just now ({words}): mails wait and are tried again; if "
        "it stays so, ask the server's operator."
    ),
    MailFault.SERVICE_REFUSED: (
        "{place} does not serve this machine ({words}): ask its operator to let this "
        "machine in, or send by another server."
    ),
    MailFault.NO_TLS: (
        "{place} speaks no TLS from the first byte: begin {url} with smtp:// instead "
        "of smtps://, or name its TLS port, mostly 465."
    ),
    MailFault.ONLY_TLS: (
        "{place} speaks TLS from the first byte: begin {url} with smtps:// instead of "
        "smtp://, or name its STARTTLS port, mostly 587."
    ),
    MailFault.TLS_FAILED: (
        "{place} and this machine agree on no encryption ({words}): update the mail "
        "server, which needs TLS 1.2 or newer."
    ),
    MailFault.NO_STARTTLS: (
        "{place} offers no encryption (STARTTLS), and mails hold links to sign in: use "
        "smtps:// or a port with STARTTLS in {url} or, if the line is your own, say "
        "?tls=off at its end."
    ),
    MailFault.CERTIFICATE_UNTRUSTED: (
        "Nobody whom this machine trusts vouches for the certificate of {place}: give "
        "the server one of a public authority, or add its own authority to this "
        "machine's certificates (SSL_CERT_FILE)."
    ),
    MailFault.CERTIFICATE_EXPIRED: (
        "The certificate of {place} has expired: renew it on the mail server; if it "
        "has not, this machine's clock is wrong."
    ),
    MailFault.CERTIFICATE_NOT_YET_VALID: (
        "The certificate of {place} is not valid yet: set this machine's clock, or "
        "look at the server's certificate."
    ),
    MailFault.CERTIFICATE_OF_ANOTHER_NAME: (
        "The certificate of {place} is not valid for that name: write the name that it "
        "was made for in {url}."
    ),
    MailFault.NO_SIGN_IN: (
        "{place} offers no sign-in (AUTH) on this port: name its submission port, "
        "mostly 587, in {url}, or leave user and password out."
    ),
    MailFault.UNKNOWN_SIGN_IN: (
        "{place} takes no password, only {words}: allow passwords for this mailbox "
        "(often an app password), or send by a server that takes them."
    ),
    MailFault.PASSWORD_REFUSED: (
        "{place} refuses user or password ({words}): correct both in {url}; some "
        "providers want an app password, and % / ? # @ : are written as %25 %2F %3F "
        "%23 %40 %3A."
    ),
    MailFault.SIGN_IN_REQUIRED: (
        "{place} wants a sign-in first ({words}): write {url} as "
        "smtp://user:password@host:587."
    ),
    MailFault.SENDER_REFUSED: (
        "{place} refuses {sender} as the sender ({words}): set MOODMILES_MAIL_FROM to "
        "an address that this mailbox may send from."
    ),
    MailFault.RECIPIENT_UNKNOWN: (
        "{place} does not know a recipient ({words}): that runner is asked for another "
        "address."
    ),
    MailFault.MAILBOX_FULL: (
        "A recipient's mailbox is full ({words}): only they can make room in it."
    ),
    MailFault.TOO_LARGE: (
        "{place} finds a mail too large ({words}): raise its limit to 1 MB or more."
    ),
    MailFault.QUOTA_USED_UP: (
        "The number of mails that {place} takes of you is used up ({words}): wait, or "
        "ask for more."
    ),
    MailFault.CONTENT_REFUSED: (
        "{place} refuses what a mail says ({words}): look at SPF, DKIM and DMARC of "
        "the sender's domain."
    ),
    MailFault.NOT_FORESEEN: (
        "The conversation with {place} failed in a way that we do not know ({words}): "
        "check {url}, and look at the server's log."
    ),
}


def check_mail(settings: Settings) -> str:
    if settings.smtp_url is None:
        raise ActionRequired("Set MOODMILES_SMTP_URL, or start `moodmiles up`.")
    server = SmtpServer.from_url(settings.smtp_url.get_secret_value())
    place = _format_place(server)
    try:
        with SmtpConnection(
            server, sender=settings.sender, timeout_s=_TIMEOUT_S
        ) as line:
            line.try_sender()
    except DeliveryFailed as failure:
        if (
            server.scheme == "smtp"
            and failure.fault in _FAULTS_OF_A_TLS_PORT
            and speaks_tls(server, timeout_s=_TIMEOUT_S)
        ):
            failure.fault = MailFault.ONLY_TLS
        raise ActionRequired(
            explain_mail_failure(server, failure, sender=settings.sender.address)
        ) from None
    fact = f"{place} answers and takes our sender"
    if server.is_plain:
        fact += ", without encryption as wished"
    if faults := ", ".join(_load_recent_faults(settings)):
        fact += f"; of single mails in the last day: {faults}"
    return fact


def explain_mail_failure(
    server: SmtpServer, failure: DeliveryFailed, *, sender: str
) -> str:
    """Return one sentence that tells a fault apart from others and names its cure."""
    reply = f"{failure.code} {failure.text}" if failure.code > 0 else failure.text
    return SENTENCES[failure.fault].format(
        place=_format_place(server),
        host=server.host,
        words=quote_words(reply),
        sender=sender,
        timeout=_TIMEOUT_S,
        url=_URL,
    )


def _format_place(server: SmtpServer) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}"


def _load_recent_faults(settings: Settings) -> list[str]:
    """Return what kept single mails from being taken lately; the line is well."""
    names = [MAIL_COUNTER + fault for fault in _FAULTS_OF_ONE_MAIL]
    with (
        suppress(MoodmilesError),
        open_runtime(settings) as runtime,
        runtime.db.read_only() as session,
    ):
        since = runtime.db.now(session) - _RECENT
        found = session.scalars(
            select(Counter.name)
            .where(Counter.name.in_(names), Counter.latest_at >= since)
            .order_by(Counter.name)
        )
        return [name.removeprefix(MAIL_COUNTER) for name in found]
    return []  # the database's line says why
