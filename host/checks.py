"""What the doctor looks at; each check returns a fact or raises what to do."""

import smtplib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from host import subscription
from host.database import Tables
from sync import work_status
from sync.clock import utc_now
from sync.crypto import Sealer
from sync.errors import MoodmilesError
from sync.mail.smtp import Server, SmtpLine, Undelivered
from sync.runtime import Runtime, build
from sync.settings import Settings
from sync.strava import Meter
from sync.strava.client import HttpStrava
from sync.surveys.instruments import library

_PATIENCE_S = 5
_MOST_DRIFT = timedelta(seconds=5)
_MOST_DELAY_S = 600
_OLDEST_REDIS = (6, 2)


class ToDo(MoodmilesError):
    """Something that the host has to do."""


def configuration(settings: Settings) -> str:
    Sealer([key.get_secret_value() for key in settings.secret_keys])
    address = urlsplit(settings.public_url)
    if settings.is_public and address.scheme != "https":
        raise ToDo("MOODMILES_PUBLIC_URL must begin with https on a public address.")
    if settings.is_public and "@localhost" in settings.mail_from:
        raise ToDo("Set MOODMILES_MAIL_FROM to an address of your own domain.")
    settings.require_contact()
    library(settings.data_dir)
    return f"pages at {settings.public_url}"


def database(settings: Settings) -> str:
    tables = Tables(settings.sql_url)
    if tables.are_newer_than_us():
        raise ToDo("The tables are newer than this version: update Moodmiles.")
    if not tables.are_current():
        raise ToDo("Run `moodmiles db upgrade`.")
    return f"{settings.sql_url.partition(':')[0]}, tables up to date"


def redis(settings: Settings) -> str:
    if not settings.redis_url:
        raise ToDo("Set MOODMILES_REDIS_URL, or start `moodmiles up`.")
    try:
        with Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=_PATIENCE_S,
            socket_timeout=_PATIENCE_S,
        ) as client:
            version = str(client.info("server")["redis_version"])
    except (RedisError, OSError, ValueError) as error:
        raise ToDo(
            "Redis does not answer at MOODMILES_REDIS_URL "
            f"({type(error).__name__}): start it, or correct the address."
        ) from None
    if tuple(int(number) for number in version.split(".")[:2]) < _OLDEST_REDIS:
        raise ToDo(f"Redis {version} is too old: 6.2 or newer is needed.")
    return f"version {version}"


def mail(settings: Settings) -> str:
    if settings.smtp_url is None:
        raise ToDo("Set MOODMILES_SMTP_URL, or start `moodmiles up`.")
    server = Server.from_url(settings.smtp_url.get_secret_value())
    try:
        with SmtpLine(server, sender=settings.mail_from, timeout_s=_PATIENCE_S) as line:
            line.open().noop()
    except (Undelivered, smtplib.SMTPException, OSError) as error:
        raise ToDo(
            f"No conversation with {server.host}:{server.port} ({error}) "
            "Check MOODMILES_SMTP_URL."
        ) from None
    return f"{server.host}:{server.port} answers"


def strava(settings: Settings) -> str:
    """Ask for the subscription, which needs working credentials."""
    if settings.strava_client_id is None or settings.strava_client_secret is None:
        raise ToDo(
            "Set MOODMILES_STRAVA_CLIENT_ID and MOODMILES_STRAVA_CLIENT_SECRET, or "
            "start `moodmiles up` with the simulator."
        )
    fact = subscription.status(settings, HttpStrava(settings))
    if not fact.startswith("Subscribed (number"):
        raise ToDo(fact)
    return fact


def clock(settings: Settings) -> str:
    with with_runtime(settings) as runtime, runtime.db.reading() as session:
        before, theirs, after = utc_now(), runtime.db.now(session), utc_now()
    # A question that took long is no difference between two clocks.
    drift = max(before - theirs, theirs - after)
    if drift > _MOST_DRIFT:
        seconds = int(drift.total_seconds())
        raise ToDo(
            f"This machine's clock and the database's are {seconds} s apart: "
            "let both follow a time server."
        )
    return "agrees with the database's"


def limits(settings: Settings) -> str:
    """Tell how much of Strava's request limits is used up."""
    with with_runtime(settings) as runtime:
        state = runtime.strava.budget_state()
    if not state.shared:
        raise ToDo("Not known without Redis: see the redis line.")
    meters = [f"{_counted(meter)} by {meter.resets_at:%H:%M}" for meter in state.meters]
    if any(
        meter.used >= meter.limit for meter in state.meters if meter.window == "day"
    ):
        raise ToDo(
            f"Strava's limit for today is used up ({', '.join(meters)} UTC); what is "
            "left waits. Ask Strava for a larger one if this comes often."
        )
    until = state.paused_until
    paused = f"; Strava asks all to wait until {until:%H:%M} UTC" if until else ""
    return f"{', '.join(meters)} UTC{paused}"


def _counted(meter: Meter) -> str:
    what = "requests" if meter.kind == "overall" else "reads"
    return f"{meter.used} of {meter.limit} {what}"


def work(settings: Settings) -> str:
    """Look for rows that should have been done long ago, or were given up."""
    with with_runtime(settings) as runtime:
        found = work_status.look(runtime)
    if found.latest_s > _MOST_DELAY_S:
        minutes = found.latest_s // 60
        raise ToDo(f"Work has waited for {minutes} minutes: is a worker running?")
    if found.to_retry:
        why = _listed(found.to_retry)
        raise ToDo(f"Given up: {why}. Run `moodmiles strava retry`.")
    if found.stopped_sweeps:
        raise ToDo(
            f"Strava showed no run at all of {found.stopped_sweeps} runners who have "
            "some, so none was removed; the workers' log names the runners."
        )
    noted = f"; noted so far: {_listed(found.oddities)}" if found.oddities else ""
    return f"nothing is late{noted}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))


@contextmanager
def with_runtime(settings: Settings) -> Generator[Runtime]:
    try:
        runtime = build(settings)
        try:
            yield runtime
        finally:
            runtime.db.close()
    except SQLAlchemyError:
        raise ToDo("Not checked: see the database's line.") from None
