"""The globals of every template: versioned files, the runner, the demo's parts."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, url_for

from sync.language import gettext, ngettext, translatable
from web.formats import TILES, mood_label
from web.http.local_only import is_local
from web.http.session import current_runner
from web.runtime import runtime

_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class DemoPart:
    """A stand-in of the demo and its address."""

    name: str
    url: str


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        asset=asset_url,
        current_runner=current_runner,
        demo_parts=list_demo_parts,
        strava_site=strava_site_url,
        kept=retention_text,
        chart_words=chart_texts,
    )


def asset_url(name: str) -> str:
    """Return the address of a static file; it changes with the file's content."""
    return url_for("static", filename=name, v=content_hash(name))


def list_demo_parts() -> list[DemoPart]:
    """Return the demo's stand-ins that the top of each page links to."""
    settings = runtime().settings
    if not settings.shows_mailbox or not is_local():
        return []
    parts = [DemoPart(translatable("Mailbox"), f"{settings.public_url}/mailbox")]
    if settings.strava_site_url != "https://www.strava.com":
        parts.append(
            DemoPart(translatable("Strava simulator"), settings.strava_site_url)
        )
    if settings.allows_fixtures:
        parts.append(DemoPart(translatable("States"), f"{settings.public_url}/states"))
    return parts


def strava_site_url() -> str:
    return runtime().settings.strava_site_url


def retention_text() -> str:
    """Say how long facts from Strava are stored."""
    days = runtime().settings.strava_retention_days
    if days:
        return ngettext("for %(n)s day", "for %(n)s days", days)
    return gettext("while you stay connected")


def chart_texts() -> dict[str, str | list[str]]:
    """Return what the charts' script says about a dot; moods count from 1."""
    return {
        "moods": ["", *map(mood_label, TILES)],
        "link": gettext("View on Strava"),
        "place": gettext("{n} of {all}"),
    }


@cache
def content_hash(name: str) -> str:
    """Return 12 hex digits of a static file's SHA-256; the file is read once."""
    return sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
