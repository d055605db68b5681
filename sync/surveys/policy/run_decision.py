"""Whether a run is asked about, and when.  Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sync.mail.quiet_hours import after_quiet_hours
from sync.preferences import WAITING, Preferences
from sync.surveys.policy.frequency import (
    WEEK,
    Asked,
    Mailed,
    reminder_at,
    room_this_week,
)
from sync.surveys.policy.parameters import Policy


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
    race: bool = False
    imported: bool = False  # with the past, when the runner linked


@dataclass(frozen=True, slots=True)
class Situation:
    """The runner at the moment of deciding."""

    has_address: bool
    preferences: Preferences
    zone: ZoneInfo
    asked: Sequence[Asked]
    runs_at_once: int  # runs learned of within the bulk window of this one
    is_newest: bool
    runs_since_asked: int
    asked_before: bool = False  # this very run, before it went and came back
    mailed: Sequence[Mailed] = ()
    ignored: int = 0  # questions in a row that stayed unanswered
    reminders_ignored: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """Ask at `at`; `replaces` are the day's questions that this one takes over."""

    at: datetime
    expires_at: datetime
    reason: str
    local_day: date
    replaces: tuple[int, ...] = ()
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withhold:
    reason: str


Verdict: TypeAlias = Send | Withhold


def decide(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> Verdict:
    """Return when to ask about this run, or the reason why not."""
    is_one_of_many = (
        situation.runs_at_once > policy.bulk_runs and not situation.is_newest
    )
    reason = (
        _not_this_runner(run, situation, now=now)
        or _not_this_run(run, situation, policy, now=now)
        or ("one of many at once" if is_one_of_many else None)
    )
    if reason:
        return Withhold(reason)
    ended_at = run.ended_at or now
    at = _earliest(ended_at, situation.preferences, policy, now=now)
    awake = after_quiet_hours(at, situation.preferences.quiet_hours, situation.zone)
    if awake > at and awake - ended_at > timedelta(hours=policy.too_old_h):
        return Withhold("quiet hours")
    day = awake.astimezone(situation.zone).date()
    that_day = _that_day(run, situation, day)
    reason = _not_now(situation, policy, at=awake, that_day=that_day)
    if reason:
        return Withhold(reason)
    return Send(
        at=awake,
        expires_at=ended_at + timedelta(hours=policy.life_h),
        reason="next morning" if awake > at else "after the run",
        local_day=day,
        replaces=tuple(asked.survey_id for asked in that_day),
        remind_at=_reminder(situation, policy, (ended_at, awake), that_day),
    )


def minutes_since_end(run: RunFacts, *, now: datetime) -> int | None:
    if run.ended_at is None:
        return None
    return int((now - run.ended_at) / timedelta(minutes=1))


def at_once(runs: Sequence[RunFacts], policy: Policy) -> list[tuple[int, bool]]:
    """Return for each run how many were learned of at once, and if it is the last.

    At once is within the bulk window of this one; the runs are in their order.  Each
    is looked at a fixed number of times, be they a whole past.
    """
    window = timedelta(minutes=policy.bulk_window_min)
    learned = sorted(range(len(runs)), key=lambda index: runs[index].learned_at)
    counted: dict[int, tuple[int, bool]] = {}
    first = end = 0
    latest: deque[int] = deque()  # of those at once, each later than all after it
    for index in learned:
        moment = runs[index].learned_at
        while end < len(learned) and runs[learned[end]].learned_at <= moment + window:
            while latest and latest[-1] < learned[end]:
                latest.pop()
            latest.append(learned[end])
            end += 1
        while runs[learned[first]].learned_at < moment - window:
            if latest[0] == learned[first]:
                latest.popleft()
            first += 1
        counted[index] = end - first, latest[0] == index
    return [counted[index] for index in range(len(runs))]


def sessions(runs: Sequence[RunFacts], policy: Policy) -> int:
    """Count the sessions in these runs: a short break does not end one."""
    gap = timedelta(hours=policy.session_gap_h)
    count, last_end = 0, None
    for run in sorted(runs, key=lambda run: run.started_at):
        if last_end is None or run.started_at - last_end >= gap:
            count += 1
        end = run.ended_at or run.started_at
        # Two watches may have recorded one run: the longer record counts.
        last_end = end if last_end is None else max(last_end, end)
    return count


def _not_this_runner(
    run: RunFacts, situation: Situation, *, now: datetime
) -> str | None:
    preferences = situation.preferences
    if run.imported:
        return "before linking"
    if not situation.has_address:
        return "no confirmed address"
    if preferences.ask == "never":
        return "stopped"
    if preferences.ask == WAITING:
        return "waiting for your choice"
    if preferences.paused_at(now):
        return "paused"
    return None


def _not_this_run(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> str | None:
    preferences = situation.preferences
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
    return "asked before" if situation.asked_before else None


def _earliest(
    ended_at: datetime, preferences: Preferences, policy: Policy, *, now: datetime
) -> datetime:
    delay_min = max(preferences.delay_min, policy.shortest_delay_min)
    if preferences.delay_min == 0:
        delay_min = 0  # "straight away" is the runner's own choice
    return max(ended_at + timedelta(minutes=delay_min), now)


def _that_day(run: RunFacts, situation: Situation, day: date) -> list[Asked]:
    """Return the questions of that day, wherever the runner was when they came."""
    return [
        asked
        for asked in situation.asked
        if run.local_day == asked.run_day
        or day in {asked.local_day, asked.send_at.astimezone(situation.zone).date()}
    ]


def _not_now(
    situation: Situation, policy: Policy, *, at: datetime, that_day: Sequence[Asked]
) -> str | None:
    if situation.ignored >= policy.slow_down_after:
        return "five unanswered"
    if any(asked.settles_the_day for asked in that_day):
        return "one a day"
    gone = {asked.survey_id for asked in that_day if not asked.is_sent}
    mailed = [mail for mail in situation.mailed if mail.survey_id not in gone]
    if _mails_that_day(mailed, that_day, at, situation.zone) >= policy.most_mails_a_day:
        return "one a day"
    if not room_this_week(mailed, at=at, most=policy.most_run_mails_a_week):
        return "enough this week"
    if any(asked.is_run for asked in that_day):
        return None  # the day's question only moves
    return _not_in_this_rhythm(situation, at)


def _mails_that_day(
    mailed: Sequence[Mailed], that_day: Sequence[Asked], at: datetime, zone: ZoneInfo
) -> int:
    moved = {asked.survey_id for asked in that_day}
    day = at.astimezone(zone).date()
    return sum(
        mail.survey_id in moved or mail.at.astimezone(zone).date() == day
        for mail in mailed
        if mail.is_sent
    )


def _not_in_this_rhythm(situation: Situation, at: datetime) -> str | None:
    others = [asked for asked in situation.asked if asked.is_run]
    match situation.preferences.ask:
        case "every-other-run" if others and situation.runs_since_asked < 1:
            return "every other run"
        case "weekly" if any(at - asked.send_at < WEEK for asked in others):
            return "once a week"
        case _:
            return None


def _reminder(
    situation: Situation,
    policy: Policy,
    times: tuple[datetime, datetime],
    that_day: Sequence[Asked],
) -> datetime | None:
    """Return when to remind, unless the day has had its second mail already."""
    preferences = situation.preferences
    if (
        not preferences.reminders
        or situation.reminders_ignored >= policy.reminders_ignored
        or any(asked.is_sent for asked in that_day)
    ):
        return None
    ended_at, at = times
    remind_at = reminder_at(ended_at, at, policy)
    if remind_at is None:
        return None
    day = at.astimezone(situation.zone).date()
    if remind_at.astimezone(situation.zone).date() != day:
        return None
    quiet = preferences.quiet_hours
    if after_quiet_hours(remind_at, quiet, situation.zone) != remind_at:
        return None
    gone = {asked.survey_id for asked in that_day}
    mailed = [
        *(mail for mail in situation.mailed if mail.survey_id not in gone),
        Mailed(0, "survey", at, is_sent=False),
    ]
    most = policy.most_run_mails_a_week
    return remind_at if room_this_week(mailed, at=remind_at, most=most) else None
