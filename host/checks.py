"""The checks of `moodmiles doctor`: each returns a fact or raises an instruction."""

import os
import smtplib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from redis import Redis, RedisError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from host import redis_server, subscription
from host.data_entries import list_quarantined
from host.database import MigrationState
from host.errors import Unencrypted
from host.expiry_checks import Outdated
from sync import part_failures, work_status
from sync.clock import utc_now
from sync.crypto import Sealer
from sync.errors import MoodmilesError
from sync.inbox.receive import SIGNATURE_COUNTER
from sync.local_requests import is_loopback_name
from sync.mail import smtp
from sync.mail.smtp import DeliveryFailed, SmtpConnection, SmtpServer
from sync.runtime import Runtime, build
from sync.settings import Settings, require_encryption
from sync.strava.client import HttpStrava
from sync.surveys.instruments import load_library
from sync.vocabulary import SignatureVerdict

_TIMEOUT_S = 5
_MAX_DRIFT = timedelta(seconds=5)
_MAX_DELAY_S = 600


class ActionRequired(MoodmilesError):
    """Something that the host has to do."""


def check_configuration(settings: Settings) -> str:
    Sealer([key.get_secret_value() for key in settings.secret_keys])
    require_encryption(settings.public_url)
    if settings.is_public and settings.sender.host == "localhost":
        raise ActionRequired(
            "Set MOODMILES_MAIL_FROM to an address of your own domain."
        )
    settings.require_safe()
    load_library(settings.data_dir)
    return f"pages at {settings.public_url}"


def check_database(settings: Settings) -> str:
    tables = MigrationState(settings.sql_url)
    if tables.is_newer_than_code():
        raise ActionRequired(
            "The tables are newer than this version: update Moodmiles."
        )
    if not tables.is_current():
        raise ActionRequired("Run `moodmiles db upgrade`.")
    require_encrypted_database(settings.sql_url)
    return f"{settings.sql_url.partition(':')[0]}, tables up to date"


def check_redis(settings: Settings) -> str:
    if not settings.redis_url:
        raise ActionRequired("Set MOODMILES_REDIS_URL, or start `moodmiles up`.")
    try:
        with Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
        ) as client:
            version = str(client.info("server")["redis_version"])
    except (RedisError, OSError, ValueError) as error:
        raise ActionRequired(
            "Redis does not answer at MOODMILES_REDIS_URL "
            f"({type(error).__name__}): start it, or correct the address."
        ) from None
    numbers = tuple(int(number) for number in version.split(".")[:2])
    if numbers < redis_server.MIN_VERSION:
        raise ActionRequired(f"Redis {version} is too old: 6.2 or newer is needed.")
    require_encrypted_redis(settings.redis_url)
    return f"version {version}"


def require_encrypted_database(sql_url: str) -> None:
    """Raise `Unencrypted` if another machine's database is believed unseen.

    libpq by itself encrypts if it is offered, and checks no certificate.
    """
    url = make_url(sql_url)
    mode = url.query.get("sslmode", os.environ.get("PGSSLMODE"))
    if url.host and not is_neighbour(url.host) and mode != "verify-full":
        raise Unencrypted(
            f"Who answers as {url.host} is not checked: end MOODMILES_DATABASE_URL in "
            "?sslmode=verify-full&sslrootcert=system, or the path of its authority."
        )


def require_encrypted_redis(redis_url: str) -> None:
    """Raise `Unencrypted` if another machine's Redis is spoken to in the clear."""
    parts = urlsplit(redis_url)
    is_checked = parts.scheme == "rediss" and "ssl_cert_reqs=none" not in parts.query
    if parts.hostname and not is_neighbour(parts.hostname) and not is_checked:
        raise Unencrypted(
            f"What goes to {parts.hostname} can be read and changed on its way: begin "
            "MOODMILES_REDIS_URL with rediss://."
        )


def is_neighbour(host: str) -> bool:
    """Whether a host is this machine, or a container in a network of its own."""
    return is_loopback_name(host) or not any(sign in host for sign in ".:")


def check_mail(settings: Settings) -> str:
    if settings.smtp_url is None:
        raise ActionRequired("Set MOODMILES_SMTP_URL, or start `moodmiles up`.")
    server = SmtpServer.from_url(settings.smtp_url.get_secret_value())
    try:
        with SmtpConnection(
            server, sender=settings.sender, timeout_s=_TIMEOUT_S
        ) as line:
            line.open().noop()
    except DeliveryFailed as error:
        raise ActionRequired(explain_mail_failure(server, error)) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ActionRequired(
            f"No conversation with {server.host}:{server.port} "
            f"({type(error).__name__}). Check MOODMILES_SMTP_URL."
        ) from None
    if server.is_plain:
        return f"{server.host}:{server.port} answers, without encryption as wished"
    return f"{server.host}:{server.port} answers"


def explain_mail_failure(server: SmtpServer, failure: DeliveryFailed) -> str:
    address = f"{server.host}:{server.port}"
    match failure.text:
        case smtp.NO_STARTTLS:
            return (
                f"{address} offers no encryption, and mails hold links to sign in: use "
                "smtps:// or a port with STARTTLS in MOODMILES_SMTP_URL or, if the "
                "line is your own, say ?tls=off at its end."
            )
        case smtp.UNTRUSTED_CERTIFICATE:
            return (
                f"The certificate of {address} is not valid for that name: write the "
                "name that it was made for in MOODMILES_SMTP_URL, or renew it."
            )
        case _:
            return (
                f"No conversation with {address} ({failure}) Check MOODMILES_SMTP_URL."
            )


def check_strava(settings: Settings) -> str:
    """Report the subscription; asking Strava for it needs working credentials."""
    if settings.strava_client_id is None or settings.strava_client_secret is None:
        raise ActionRequired(
            "Set MOODMILES_STRAVA_CLIENT_ID and MOODMILES_STRAVA_CLIENT_SECRET, or "
            "start `moodmiles up` with the simulator."
        )
    subscription_status = subscription.describe_subscription(
        settings, HttpStrava(settings)
    )
    if not subscription_status.startswith("Subscribed (number"):
        raise ActionRequired(subscription_status)
    return subscription_status


def check_signatures(settings: Settings) -> str:
    """Report what the signatures of events were worth, and whether to insist on them.

    The counts are of the present subscription.
    """
    mode = settings.strava_signature
    with open_runtime(settings) as runtime:
        counts = work_status.read_status(runtime).counters
    verdicts = {
        verdict: counts.get(f"{SIGNATURE_COUNTER}{verdict}", 0)
        for verdict in SignatureVerdict
    }
    counted = _format_counts({name: n for name, n in verdicts.items() if n})
    others = sum(verdicts.values()) - verdicts[SignatureVerdict.RIGHT]
    if mode == "observe" and verdicts[SignatureVerdict.RIGHT]:
        raise Outdated(
            f"Strava signs its events: {counted}. Set "
            "MOODMILES_STRAVA_SIGNATURE=enforce, so that no others are taken."
        )
    match mode:
        case "enforce":
            return f"refused without a right one: {others} events"
        case "observe":
            return f"events are taken with any: {counted or 'none has come yet'}"
        case "off":
            return "not looked at"


def check_clock(settings: Settings) -> str:
    with open_runtime(settings) as runtime, runtime.db.read_only() as session:
        before, database_now, after = utc_now(), runtime.db.now(session), utc_now()
    # A question that took long is no difference between two clocks.
    drift = max(before - database_now, database_now - after)
    if drift > _MAX_DRIFT:
        seconds = int(drift.total_seconds())
        raise ActionRequired(
            f"This machine's clock and the database's are {seconds} s apart: "
            "let both follow a time server."
        )
    return "agrees with the database's"


def check_limits(settings: Settings) -> str:
    """Report the used share of Strava's request limits."""
    with open_runtime(settings) as runtime:
        state = runtime.strava.budget_state()
    if not state.is_shared:
        raise ActionRequired("Not known without Redis: see the redis line.")
    meters = [
        f"{meter.used} of {meter.limit} "
        f"{'requests' if meter.kind == 'overall' else 'reads'} "
        f"by {meter.resets_at:%H:%M}"
        for meter in state.meters
    ]
    if any(
        meter.used >= meter.limit for meter in state.meters if meter.window == "day"
    ):
        raise ActionRequired(
            f"Strava's limit for today is used up ({', '.join(meters)} UTC); what is "
            "left waits. Ask Strava for a larger one if this comes often."
        )
    paused_until = state.paused_until
    pause_text = (
        f"; Strava asks all to wait until {paused_until:%H:%M} UTC"
        if paused_until
        else ""
    )
    return f"{', '.join(meters)} UTC{pause_text}"


def check_work(settings: Settings) -> str:
    """Report overdue rows and rows that were given up."""
    with open_runtime(settings) as runtime:
        status = work_status.read_status(runtime)
    if status.max_late_s > _MAX_DELAY_S:
        minutes = status.max_late_s // 60
        raise ActionRequired(
            f"Work has waited for {minutes} minutes: is a worker running?"
        )
    if status.retryable:
        failures = _format_counts(status.retryable)
        raise ActionRequired(f"Given up: {failures}. Run `moodmiles strava retry`.")
    if status.stopped_reconciles:
        raise ActionRequired(
            f"Strava showed no run at all of {status.stopped_reconciles} runners "
            "who have some, so none was removed; the workers' log names the runners."
        )
    oddities_text = (
        f"; noted so far: {_format_counts(status.counters)}" if status.counters else ""
    )
    return f"nothing is late{oddities_text}"


def check_parts(settings: Settings) -> str:
    """Report the parts that end again and again, and what a start has set aside."""
    failing = part_failures.read_failing(settings.data_dir, settings.redis_url)
    if failing:
        minutes = int(part_failures.WINDOW_S // 60)
        raise ActionRequired(
            f"Ended again and again in the last {minutes} minutes: "
            f"{_format_counts(failing)}. The log of each says why."
        )
    names = [path.name for path in list_quarantined(settings.data_dir)]
    names_text = f"; set aside at a start: {', '.join(names)}" if names else ""
    return f"none ends again and again{names_text}"


def _format_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))


@contextmanager
def open_runtime(settings: Settings) -> Generator[Runtime]:
    try:
        runtime = build(settings)
        try:
            yield runtime
        finally:
            runtime.db.close()
    except SQLAlchemyError:
        raise ActionRequired("Not checked: see the database's line.") from None
