"""Whether a run is asked about, and when.  Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

from sync.mail.quiet_hours import defer_past_quiet_hours
from sync.surveys.policy.frequency import (
    WEEK,
    RecentQuestion,
    fits_weekly_limit,
)
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.reminder import schedule_reminder
from sync.surveys.policy.situation import RunFacts, Situation
from sync.vocabulary import AskFrequency, DecisionReason


@dataclass(frozen=True, slots=True)
class Send:
    """Ask at `at`; `replaced_survey_ids` are the day's questions that this replaces."""

    at: datetime
    expires_at: datetime
    reason: DecisionReason
    local_day: date
    replaced_survey_ids: tuple[int, ...] = ()
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suppress:
    reason: DecisionReason


@dataclass(frozen=True, slots=True)
class Burst:
    """How many runs were learned of at once with a run, and if it is their last."""

    size: int
    is_last: bool


Verdict: TypeAlias = Send | Suppress


def decide_run(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> Verdict:
    """Return when to ask about this run, or the reason why not."""
    is_superseded_in_burst = (
        situation.runs_at_once > policy.bulk_runs and not situation.is_newest
    )
    reason = (
        _runner_suppression_reason(run, situation, now=now)
        or _run_suppression_reason(run, situation, policy, now=now)
        or (DecisionReason.ONE_OF_MANY if is_superseded_in_burst else None)
    )
    if reason:
        return Suppress(reason)
    ended_at = run.ended_at or now
    delay_min = max(situation.preferences.delay_min, policy.shortest_delay_min)
    if situation.preferences.delay_min == 0:
        delay_min = 0  # "straight away" is the runner's own choice
    earliest_at = max(ended_at + timedelta(minutes=delay_min), now)
    return plan_question(run, situation, policy, earliest_at=earliest_at, now=now)


def plan_question(
    run: RunFacts,
    situation: Situation,
    policy: Policy,
    *,
    earliest_at: datetime,
    now: datetime,
) -> Verdict:
    """Return when to ask about a run that may be asked about, or why not at all.

    `earliest_at` is no earlier than `now`.
    """
    ended_at = run.ended_at or now
    send_at = defer_past_quiet_hours(
        earliest_at, situation.preferences.quiet_hours, situation.zone
    )
    if send_at > earliest_at and send_at - ended_at > timedelta(hours=policy.too_old_h):
        return Suppress(DecisionReason.QUIET_HOURS)
    send_day = send_at.astimezone(situation.zone).date()
    # The questions of that day, wherever the runner was when they came.
    day_questions = [
        question
        for question in situation.recent_questions
        if run.local_day == question.run_day
        or send_day
        in {question.local_day, question.send_at.astimezone(situation.zone).date()}
    ]
    reason = _timing_suppression_reason(
        situation, policy, send_at=send_at, day_questions=day_questions
    )
    if reason:
        return Suppress(reason)
    return Send(
        at=send_at,
        expires_at=ended_at + timedelta(hours=policy.life_h),
        reason=DecisionReason.NEXT_MORNING
        if send_at > earliest_at
        else DecisionReason.AFTER_RUN,
        local_day=send_day,
        replaced_survey_ids=tuple(question.survey_id for question in day_questions),
        remind_at=schedule_reminder(
            situation, policy, day_questions, ended_at=ended_at, send_at=send_at
        ),
    )


def minutes_since_end(run: RunFacts, *, now: datetime) -> int | None:
    if run.ended_at is None:
        return None
    return int((now - run.ended_at) / timedelta(minutes=1))


def find_bursts(runs: Sequence[RunFacts], policy: Policy) -> list[Burst]:
    """Return for each run the burst that it came in, in the order of the runs.

    At once is within the bulk window of the run.  Each run is looked at a fixed
    number of times, however long the past.
    """
    window = timedelta(minutes=policy.bulk_window_min)
    order = sorted(range(len(runs)), key=lambda index: runs[index].learned_at)
    burst_by_index: dict[int, Burst] = {}
    window_start = window_end = 0
    maxima: deque[int] = deque()  # of those at once, each later than all after it
    for index in order:
        learned_at = runs[index].learned_at
        while (
            window_end < len(order)
            and runs[order[window_end]].learned_at <= learned_at + window
        ):
            while maxima and maxima[-1] < order[window_end]:
                maxima.pop()
            maxima.append(order[window_end])
            window_end += 1
        while runs[order[window_start]].learned_at < learned_at - window:
            if maxima[0] == order[window_start]:
                maxima.popleft()
            window_start += 1
        burst_by_index[index] = Burst(
            window_end - window_start, is_last=maxima[0] == index
        )
    return [burst_by_index[index] for index in range(len(runs))]


def count_sessions(runs: Sequence[RunFacts], policy: Policy) -> int:
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


def _runner_suppression_reason(
    run: RunFacts, situation: Situation, *, now: datetime
) -> DecisionReason | None:
    preferences = situation.preferences
    if run.is_imported:
        return DecisionReason.BEFORE_LINKING
    if not situation.has_address:
        return DecisionReason.NO_CONFIRMED_ADDRESS
    if preferences.ask == AskFrequency.NEVER:
        return DecisionReason.STOPPED
    if preferences.ask == AskFrequency.WAITING_FOR_CHOICE:
        return DecisionReason.WAITING_FOR_CHOICE
    if preferences.is_paused_at(now):
        return DecisionReason.PAUSED
    return None


def _run_suppression_reason(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> DecisionReason | None:
    preferences = situation.preferences
    if run.left_out_for:
        return run.left_out_for
    if run.is_manual and not preferences.ask_manual:
        return DecisionReason.ENTERED_BY_HAND
    # A treadmill without a sensor measures no distance: then the time alone tells.
    is_too_near = 0 < run.distance_m < policy.shortest_distance_m
    if run.moving_s < policy.shortest_moving_s or is_too_near:
        return DecisionReason.TOO_SHORT
    if (
        preferences.ask == AskFrequency.LONG_RUNS
        and run.distance_m < preferences.long_run_m
    ):
        return DecisionReason.ONLY_LONG_RUNS
    if now - (run.ended_at or run.started_at) > timedelta(hours=policy.too_old_h):
        return DecisionReason.TOO_OLD
    return DecisionReason.ASKED_BEFORE if situation.was_asked_before else None


def _timing_suppression_reason(
    situation: Situation,
    policy: Policy,
    *,
    send_at: datetime,
    day_questions: Sequence[RecentQuestion],
) -> DecisionReason | None:
    if situation.ignored_count >= policy.slow_down_after:
        return DecisionReason.FIVE_UNANSWERED
    if any(question.closes_day for question in day_questions):
        return DecisionReason.ONE_A_DAY
    replaced_ids = {
        question.survey_id for question in day_questions if not question.is_sent
    }
    mails = [
        mail for mail in situation.recent_mails if mail.survey_id not in replaced_ids
    ]
    moved_ids = {question.survey_id for question in day_questions}
    send_day = send_at.astimezone(situation.zone).date()
    mails_that_day = sum(
        mail.survey_id in moved_ids
        or mail.at.astimezone(situation.zone).date() == send_day
        for mail in mails
        if mail.is_sent
    )
    if mails_that_day >= policy.most_mails_a_day:
        return DecisionReason.ONE_A_DAY
    if not fits_weekly_limit(mails, at=send_at, max_mails=policy.most_run_mails_a_week):
        return DecisionReason.ENOUGH_THIS_WEEK
    if any(question.is_about_run for question in day_questions):
        return None  # the day's question only moves
    return _frequency_suppression_reason(situation, send_at)


def _frequency_suppression_reason(
    situation: Situation, send_at: datetime
) -> DecisionReason | None:
    run_questions = [
        question for question in situation.recent_questions if question.is_about_run
    ]
    match situation.preferences.ask:
        case AskFrequency.EVERY_OTHER_RUN if (
            run_questions and situation.runs_since_asked < 1
        ):
            return DecisionReason.EVERY_OTHER_RUN
        case AskFrequency.WEEKLY if any(
            abs(send_at - question.send_at) < WEEK for question in run_questions
        ):
            return DecisionReason.ONCE_A_WEEK
        case _:
            return None
