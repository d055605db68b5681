"""Whether a run is asked about, and when.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sync.surveys.policy import Policy, Preferences


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the policy needs to know of a run; `ended_at` is None if hidden."""

    run_id: int
    started_at: datetime
    ended_at: datetime | None
    learned_at: datetime
    local_day: date
    distance_m: float
    moving_s: int
    manual: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A survey that exists already for one of the runner's runs."""

    survey_id: int
    local_day: date
    created_at: datetime
    is_sent: bool
    is_answered: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """The runner at the moment of deciding."""

    linked_at: datetime
    has_address: bool
    preferences: Preferences
    zone: ZoneInfo
    asked: Sequence[Asked]
    runs_at_once: int  # runs learned of within the bulk window of this one
    is_newest: bool
    runs_since_asked: int
    asked_before: bool = False  # this very run, before it went and came back


@dataclass(frozen=True, slots=True)
class Send:
    at: datetime
    expires_at: datetime
    reason: str
    replaces: int | None = None  # the unsent survey of an earlier run that day


@dataclass(frozen=True, slots=True)
class Withhold:
    reason: str


Verdict: TypeAlias = Send | Withhold


def decide(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> Verdict:
    """Return when to ask about this run, or the reason why not."""
    reason = (
        _not_this_runner(run, situation, now=now)
        or _not_this_run(run, situation.preferences, policy, now=now)
        or _not_now(run, situation, policy, now=now)
    )
    if reason:
        return Withhold(reason)
    return _when(run, situation, policy, now=now)


def minutes_since_end(run: RunFacts, *, now: datetime) -> int | None:
    if run.ended_at is None:
        return None
    return int((now - run.ended_at) / timedelta(minutes=1))


def _not_this_runner(
    run: RunFacts, situation: Situation, *, now: datetime
) -> str | None:
    preferences = situation.preferences
    if (run.ended_at or run.started_at) < situation.linked_at:
        return "before linking"
    if not situation.has_address:
        return "no confirmed address"
    if preferences.ask == "never":
        return "stopped"
    if preferences.paused_at(now):
        return "paused"
    return None


def _not_this_run(
    run: RunFacts, preferences: Preferences, policy: Policy, *, now: datetime
) -> str | None:
    if run.manual and not preferences.ask_manual:
        return "entered by hand"
    if (
        run.moving_s < policy.shortest_moving_s
        or run.distance_m < policy.shortest_distance_m
    ):
        return "too short"
    if preferences.ask == "long-runs" and run.distance_m < preferences.long_run_m:
        return "only long runs"
    if now - (run.ended_at or run.started_at) > timedelta(hours=policy.too_old_h):
        return "too old"
    return None


def _not_now(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> str | None:
    if situation.asked_before:
        return "asked before"
    if situation.runs_at_once > policy.bulk_runs and not situation.is_newest:
        return "one of many at once"
    that_day = [asked for asked in situation.asked if asked.local_day == run.local_day]
    if any(asked.is_sent for asked in that_day):
        return "one a day"
    week = timedelta(days=7)
    recent = [a for a in situation.asked if now - a.created_at < week]
    if len(recent) - len(that_day) >= policy.most_a_week:
        return "enough this week"
    if situation.preferences.ask == "every-other-run" and (
        situation.runs_since_asked < 1 and situation.asked
    ):
        return "every other run"
    return None


def _when(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> Verdict:
    ended_at = run.ended_at or now
    delay_min = max(situation.preferences.delay_min, policy.shortest_delay_min)
    if situation.preferences.delay_min == 0:
        delay_min = 0  # "straight away" is the runner's own choice
    at = max(ended_at + timedelta(minutes=delay_min), now)
    awake = after_quiet_hours(at, situation.preferences, situation.zone)
    if awake > at and awake - ended_at > timedelta(hours=policy.too_old_h):
        return Withhold("quiet hours")
    unsent = [
        asked.survey_id
        for asked in situation.asked
        if asked.local_day == run.local_day and not asked.is_sent
    ]
    return Send(
        at=awake,
        expires_at=ended_at + timedelta(hours=policy.life_h),
        reason="next morning" if awake > at else "after the run",
        replaces=unsent[0] if unsent else None,
    )


def after_quiet_hours(
    at: datetime, preferences: Preferences, zone: ZoneInfo
) -> datetime:
    """Return `at`, or the end of the quiet hours that it falls into."""
    start, end = preferences.quiet_hours
    if start == end:
        return at
    local = at.astimezone(zone)
    clock = local.time()
    if start < end:
        is_quiet = start <= clock < end
        days_on = 0
    else:
        is_quiet = clock >= start or clock < end
        days_on = 1 if clock >= start else 0
    if not is_quiet:
        return at
    morning = datetime.combine(local.date() + timedelta(days=days_on), end, tzinfo=zone)
    return morning.astimezone(at.tzinfo)
