"""A prepared runner and their past: plain rows, many at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sin
from random import Random
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from sync.crypto import new_token, pairing_key, token_hash
from sync.models import Answer, Connection, Consent, Decision, Run, Runner, Survey
from sync.runners.rules import CONSENT_VERSION, Consents
from sync.runtime import Runtime
from sync.strava import SCOPE
from sync.surveys import instruments

BOXES = Consents(strava=True, mood=True, mail=True, adult=True)
# Far above Strava's own numbers, so that no simulated run has the same.
_FIRST_RUN = 9 * 10**15
_RUNS_EACH = 10**6


@dataclass(frozen=True, slots=True)
class Past:
    """How many runs, how far apart, and after how many of the last was answered.

    `moods` are the answers, oldest first; without them they are drawn.
    """

    runs: int
    answers: int = 0
    hours_apart: float = 44
    latest_hours_ago: float = 30
    moods: tuple[int, ...] = ()


def new_runner(
    runtime: Runtime, session: Session, number: int, *, now: datetime, address: bool
) -> Runner:
    """Make prepared runner `number` anew; no athlete at Strava has a number below 0."""
    session.execute(delete(Runner).where(Runner.athlete_id == -number))
    runner = Runner(
        athlete_id=-number,
        created_at=now,
        active_at=now,
        vault_key=runtime.sealer.new_vault_key(),
        preferences={},
    )
    if address:
        email = f"prepared-{number}@example.org"
        runner.email = runtime.sealer.seal(email)
        runner.email_hash = runtime.sealer.lookup_hashes(email)[0]
        runner.email_confirmed_at = now
    session.add(runner)
    session.flush()
    no_token = runtime.sealer.seal("prepared")
    session.add(
        Connection(
            runner_id=runner.id,
            scope=SCOPE,
            access_token=no_token,
            refresh_token=no_token,
            expires_at=now + timedelta(days=365),
            linked_at=now,
        )
    )
    session.add_all(
        Consent(runner_id=runner.id, kind=kind, version=CONSENT_VERSION, given_at=now)
        for kind in BOXES.given
    )
    return runner


def remember(
    runtime: Runtime, session: Session, runner: Runner, past: Past, *, now: datetime
) -> list[int]:
    """Store the runs of a past with their decisions and answers; return the runs."""
    chance = Random(past.runs)  # noqa: S311  chance for play, not for secrets
    rows = [_run(runner, place, past, chance, now=now) for place in range(past.runs)]
    if not rows:
        return []
    found = session.scalars(
        insert(Run).returning(Run.id, sort_by_parameter_order=True), rows
    )
    ids = list(found)
    first = past.runs - past.answers
    session.execute(
        insert(Decision),
        [
            _decision(run_id, row, was_asked=place >= first, now=now)
            for place, (run_id, row) in enumerate(zip(ids, rows, strict=True))
        ],
    )
    if past.answers:
        asked = list(zip(ids[first:], rows[first:], strict=True))
        session.execute(insert(Survey), [_survey(*one) for one in asked])
        vault = runtime.sealer.vault(runner.vault_key)
        moods = past.moods or _moods(rows[first:], chance)
        session.execute(
            insert(Answer),
            [
                _answer(*one, vault.seal({"mood": mood, "stress": 2 - mood}))
                for one, mood in zip(asked, moods, strict=True)
            ],
        )
    runner.created_at = rows[first]["started_at"] if past.answers else now
    runner.data_version += 1
    return ids


def _run(
    runner: Runner, place: int, past: Past, chance: Random, *, now: datetime
) -> dict[str, Any]:
    # Seasons, and now and then a long one.
    usual_m = 7500 * (1 + 0.4 * sin(place / 40))
    distance_m = round(usual_m * chance.uniform(0.6, 1.4) * (1 + (place % 7 == 6)), 1)
    moving_s = int(distance_m * chance.uniform(0.33, 0.38))
    elapsed_s = moving_s + place * 37 % 240
    started_at = _ended_at(place, past, now=now) - timedelta(seconds=elapsed_s)
    return {
        "runner_id": runner.id,
        "source": "strava",
        "source_id": _FIRST_RUN + _RUNS_EACH * -(runner.athlete_id or 0) + place,
        "sport": "TrailRun" if place % 11 == 5 else "Run",
        "started_at": started_at,
        "start_known": True,
        "offset_s": 0,
        "local_day": started_at.date(),
        "distance_m": distance_m,
        "moving_s": moving_s,
        "elapsed_s": elapsed_s,
        "elevation_m": float(chance.randrange(160)),
        "treadmill": place % 13 == 4,
        "manual": False,
        "race": place % 97 == 50,
        "with_others": chance.random() < 0.3,
        "device": "Garmin Forerunner 255" if place % 3 else None,
        "visibility": "everyone",
        "fetched_at": now,
        "imported": place < past.runs - past.answers,
    }


def _ended_at(place: int, past: Past, *, now: datetime) -> datetime:
    """Return when the run at a place ended: by day, but for the last, as wished."""
    ago = past.latest_hours_ago + past.hours_apart * (past.runs - 1 - place)
    at = now - timedelta(hours=ago)
    if place == past.runs - 1:
        return at
    return at.replace(hour=19 if at.hour > 12 else 8, minute=place * 7 % 60)


def _end_of(row: dict[str, Any]) -> datetime:
    ended_at: datetime = row["started_at"] + timedelta(seconds=row["elapsed_s"])
    return ended_at


def _decision(
    run_id: int, row: dict[str, Any], *, was_asked: bool, now: datetime
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "runner_id": row["runner_id"],
        "verdict": "send" if was_asked else "skip",
        "reason": "after the run" if was_asked else "before linking",
        "minutes_since_end": 30 if was_asked else None,
        "policy": {},
        "decided_at": now,
    }


def _survey(run_id: int, row: dict[str, Any]) -> dict[str, Any]:
    ended_at = _end_of(row)
    return {
        "runner_id": row["runner_id"],
        "run_id": run_id,
        "pairing_key": pairing_key(row["source"], row["source_id"]),
        "kind": "run",
        "token_hash": token_hash(new_token()),
        "instrument": instruments.CURRENT,
        "reversed_order": False,
        "tags": {},
        "created_at": ended_at,
        "send_at": ended_at,
        "sent_at": ended_at + timedelta(minutes=30),
        "expires_at": ended_at + timedelta(hours=24),
    }


def _answer(run_id: int, row: dict[str, Any], sealed: bytes) -> dict[str, Any]:
    return {
        "runner_id": row["runner_id"],
        "run_id": run_id,
        "pairing_key": pairing_key(row["source"], row["source_id"]),
        "kind": "run",
        "instrument": instruments.CURRENT,
        "reversed_order": False,
        "answered_at": _end_of(row) + timedelta(minutes=50),
        "minutes_since_end": 50,
        "tags": {},
        "sealed": sealed,
    }


def _moods(rows: list[dict[str, Any]], chance: Random) -> tuple[int, ...]:
    """Draw moods that are best about the middle of the distances run lately."""
    moods = []
    lately_m = 8000.0
    for row in rows:
        lately_m += (row["distance_m"] - lately_m) / 4
        felt = 1.3 - ((lately_m - 8500) / 3500) ** 2 + chance.gauss(0, 0.8)
        moods.append(max(-2, min(2, round(felt))))
    return tuple(moods)
