"""The checks of `moodmiles doctor`: each returns a fact or raises an instruction."""

import os
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from host import subscription
from host.check_runtime import DATABASE_ERRORS, open_runtime
from host.data_entries import list_quarantined
from host.database import MigrationState
from host.errors import ActionRequired, Unencrypted
from host.expiry_checks import Outdated
from host.unreadable_values import count_unreadable
from sync import part_failures, storage, work_status
from sync.clock import utc_now
from sync.crypto import Sealer
from sync.inbox.receive import SIGNATURE_COUNTER
from sync.local_requests import is_loopback_name
from sync.setting_urls import find_sqlite_file, read_connection_parameters
from sync.settings import Settings, require_encryption
from sync.storage import StorageFailed
from sync.surveys.instruments import load_library
from sync.vocabulary import SignatureVerdict, StorageFault

_MAX_DRIFT = timedelta(seconds=5)
_MAX_DELAY_S = 600


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
    try:
        tables = MigrationState(settings.sql_url)
        if tables.is_newer_than_code():
            raise ActionRequired(
                "The tables are newer than this version: update Moodmiles."
            )
        if not tables.is_current():
            raise ActionRequired("Run `moodmiles db upgrade`.")
        has_pooler = tables.has_pooler()
    except DATABASE_ERRORS as error:
        raise ActionRequired(
            f"The database cannot be used ({type(error).__name__}): correct "
            "MOODMILES_DATABASE_URL, which looks like postgresql://user:password@host/"
            "name; in a password write % / ? # @ : as %25 %2F %3F %23 %40 %3A."
        ) from None
    require_encrypted_database(settings.database_url)
    if settings.database_pool_mode == "session" and has_pooler:
        raise Outdated(
            "A pooler such as PgBouncer stands in front of PostgreSQL: if its "
            "pool_mode is transaction, set MOODMILES_DATABASE_POOL_MODE=transaction, "
            "or work fails."
        )
    return f"{settings.sql_url.partition(':')[0]}, tables up to date"


# {words} is what the database or the system said.
STORAGE_SENTENCES: dict[StorageFault, str] = {
    StorageFault.DOWN: "Not checked: see the database's line.",
    StorageFault.FULL: (
        "The disk {where} is full ({words}): make room on it, or nothing new is kept; "
        "nothing else has to be done then."
    ),
    StorageFault.READ_ONLY: (
        "The database can be read and not written ({words}): let Moodmiles' user write "
        "{where}, and name the primary, not a replica."
    ),
    StorageFault.DAMAGED: (
        "The database {where} is damaged ({words}): stop all parts, and restore a "
        "backup."
    ),
    StorageFault.WRITE_FAILED: (
        "Nothing can be written {where} ({words}): look at the disk and the limits "
        "(quota, ulimit) of Moodmiles' user."
    ),
}


def check_disk(settings: Settings) -> str:
    """Write a row, and a file where ours are kept, as work does."""
    with open_runtime(settings) as runtime:
        file = find_sqlite_file(settings.sql_url)
        folder = file.parent if file else None
        try:
            storage.check_storage(runtime.db)
            if folder is None:
                return "the database takes rows"
            for own_folder in (settings.data_dir, settings.mailbox_dir):
                if own_folder is not None and own_folder.is_dir():
                    folder = own_folder
                    storage.check_folder(own_folder)
        except StorageFailed as failure:
            where = f"with {folder.resolve()}" if folder else "of the database's server"
            raise ActionRequired(
                STORAGE_SENTENCES[failure.fault].format(where=where, words=failure.text)
            ) from None
    return "the database and its folder take what is written"


def require_encrypted_database(database_url: str) -> None:
    """Raise `Unencrypted` if another machine's database is believed unseen.

    libpq by itself encrypts if it is offered, and checks no certificate.
    """
    if not database_url.startswith("postgresql"):
        return
    parameters = read_connection_parameters(database_url)
    mode = parameters.get("sslmode", os.environ.get("PGSSLMODE"))
    hosts = parameters.get("host", os.environ.get("PGHOST", "")).split(",")
    far_hosts = [host for host in hosts if not is_neighbour(host.partition("/")[0])]
    if far_hosts and mode != "verify-full":
        raise Unencrypted(
            f"Who answers as {far_hosts[0]} is not checked: end MOODMILES_DATABASE_URL "
            "in ?sslmode=verify-full&sslrootcert=system, or the path of its authority."
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


def check_strava(settings: Settings) -> str:
    """Report the subscription; asking Strava for it needs working credentials."""
    if settings.strava_client_id is None or settings.strava_client_secret is None:
        raise ActionRequired(
            "Set MOODMILES_STRAVA_CLIENT_ID and MOODMILES_STRAVA_CLIENT_SECRET, or "
            "start `moodmiles up` with the simulator."
        )
    with open_runtime(settings) as runtime:
        status = subscription.load_status(runtime)
    if not status.is_well:
        raise ActionRequired(str(status))
    return str(status)


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
    """Report overdue rows, rows that were given up, and what is not understood."""
    with open_runtime(settings) as runtime:
        status = work_status.read_status(runtime)
        unreadable = count_unreadable(runtime.db)
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
    if unreadable:
        raise Outdated(
            f"Not understood, and read as if it were something else: "
            f"{_format_counts(unreadable)}. A newer version wrote it: update "
            "Moodmiles; or it is damaged: restore a backup."
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
