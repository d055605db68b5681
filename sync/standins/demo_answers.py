"""The demo's eighteen months of questions and answers, drawn with a fixed seed.  Pure.

The product's own policy decides what is asked and when: whether a run is asked about,
and on which days and at what time a check-in comes.  Only the chance of the draws, and
when and whether the runner answers, are made up here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from math import exp
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sync.models import Run
from sync.preferences import Preferences
from sync.standins.demo_feelings import DemoFeelings, RunFelt
from sync.standins.demo_notes import DemoNotes
from sync.surveys.policy.checkin_sampling import (
    CheckinDay,
    DrawOutcome,
    Uniforms,
    choose_focus,
    draw_checkin,
)
from sync.surveys.policy.delay_sampling import (
    MIN_OFFERED,
    DrawnDelay,
    draw_delay,
    list_offered_delays,
    plan_delayed_question,
)
from sync.surveys.policy.frequency import WEEK, QuestionMail, RecentQuestion
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send, decide_run
from sync.surveys.policy.situation import RunFacts, Situation
from sync.surveys.store import build_run_facts
from sync.vocabulary import DecisionReason, DrawReason, MailKind, SurveyKind

# One question more at a time, each for so many weeks, from the first run on.  One is
# left out: what was never asked must show, too.
FOCUS_TURNS = (
    ("energy", 12),
    ("effort", 16),
    ("clarity", 18),
    ("progress", 15),
    ("connection", 8),
    ("energy", 99),
)
CHECKIN_FOCUS_TURNS = (("sleep", 22), ("clarity", 26), ("sleep", 99))
# The weeks in which the runner lets the time of asking be drawn; it is off today, so
# that a new run is asked about soon.
DRAWN_WEEKS = range(28, 46)
POLICY, PREFERENCES = Policy(), Preferences()
PRE_RUN_PROBABILITY = 0.35
PROMPT_PROBABILITY = 0.7
MAX_UNANSWERED = 3  # in a row; five would stop all questions
LEARNED_AFTER = timedelta(minutes=4)
_AWAKE_FROM, _AWAKE_UNTIL = time(6, 30), time(23)
_ANSWER_TIMES = 60  # as many tell a check-in's time of day


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """An answer, and the line for oneself beside it, which may be empty."""

    answered_at: datetime
    values: Mapping[str, int]
    note: str = ""


@dataclass(frozen=True, slots=True)
class DemoSurvey:
    """One question that was sent: about `run`, or else a check-in."""

    kind: SurveyKind
    asked_at: datetime
    expires_at: datetime
    local_day: date
    focus: str
    run: Run | None = None
    reason: DecisionReason | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    answer: DemoAnswer | None = None


@dataclass(frozen=True, slots=True)
class DemoDraw:
    """One day's draw for a check-in.

    `survey_index` is the place among the surveys of the one that came of it, if any.
    """

    local_day: date
    decided_at: datetime
    outcome: DrawOutcome
    survey_index: int | None = None


@dataclass(frozen=True, slots=True)
class DemoDelayDraw:
    """The hours drawn for the question about a run, and when that makes it."""

    run: Run
    delay: DrawnDelay
    asks_at: datetime
    drawn_at: datetime


@dataclass(slots=True)
class DemoHistory:
    """All that was asked, answered and decided, oldest first.

    `reasons_not_asked` says by the id of a run why there was no question about it.
    """

    surveys: list[DemoSurvey] = field(default_factory=list)
    pre_run_answers: list[DemoAnswer] = field(default_factory=list)
    draws: list[DemoDraw] = field(default_factory=list)
    delay_draws: list[DemoDelayDraw] = field(default_factory=list)
    reasons_not_asked: dict[int, DecisionReason] = field(default_factory=dict)


def generate_history(
    runs: Sequence[Run],
    week_loads_m: Sequence[float],
    *,
    zone: ZoneInfo,
    now: datetime,
    seed: int,
) -> DemoHistory:
    """Return the history from the first of `runs`, oldest first, to the day of `now`.

    `week_loads_m` holds for each run the distance of the 7 days up to it.  Nothing in
    it is later than `now`, and today has no check-in.
    """
    history = DemoHistory()
    if not runs:
        return history
    loads_m = {run.id: load_m for run, load_m in zip(runs, week_loads_m, strict=True)}
    runs_by_day = group_by_day(runs)
    rng = Random(seed)  # noqa: S311  chance for play, not for secrets
    diary = _Diary(
        history,
        DemoFeelings(rng),
        DemoNotes(rng),
        rng,
        zone,
        first_day=min(runs_by_day),
    )
    today = now.astimezone(zone).date()
    week_m = 0.0
    for number in range((today - diary.first_day).days):
        day = diary.first_day + timedelta(days=number)
        day_runs = runs_by_day.get(day, [])
        if day_runs:
            week_m = loads_m[day_runs[-1].id]
        diary.live_through(day, day_runs, week_m)
    not_drawn = DrawOutcome(is_drawn=False, reason=DrawReason.NOT_DRAWN)
    history.draws.append(DemoDraw(today, now, not_drawn))
    return history


def group_by_day(runs: Sequence[Run]) -> dict[date, list[Run]]:
    """Group runs, oldest first, by their local days."""
    return {day: list(group) for day, group in groupby(runs, lambda run: run.local_day)}


@dataclass(slots=True)
class _Diary:
    """The history so far, and the questions of the last days that limit new ones."""

    history: DemoHistory
    feelings: DemoFeelings
    notes: DemoNotes
    rng: Random
    zone: ZoneInfo
    first_day: date
    recent_questions: list[RecentQuestion] = field(default_factory=list)
    recent_mails: list[QuestionMail] = field(default_factory=list)
    answer_times: list[time] = field(default_factory=list)
    unanswered_count: int = 0

    def live_through(self, day: date, runs: Sequence[Run], week_m: float) -> None:
        """Add what was asked, decided and answered on one local day."""
        midnight = datetime.combine(day, time(), tzinfo=self.zone)
        self._forget_before(midnight - WEEK)
        self.feelings.begin_day(day, week_m)
        runs_felt = [self.feelings.finish_run(run) for run in runs]
        outcome = self._draw_checkin(day, midnight)
        checkin_at, survey_index = outcome.at, None
        for felt in runs_felt:
            self._answer_on_way_out(felt.run)
            learned_at = felt.run.ended_at + LEARNED_AFTER
            if checkin_at is not None and checkin_at <= learned_at:
                survey_index, checkin_at = self._ask_at_checkin(day, checkin_at), None
            if self._ask_about_run(felt, learned_at):
                checkin_at = None  # the run's question takes the check-in's place
        if checkin_at is not None:
            survey_index = self._ask_at_checkin(day, checkin_at)
        draw = DemoDraw(day, midnight.astimezone(UTC), outcome, survey_index)
        self.history.draws.append(draw)

    def _forget_before(self, moment: datetime) -> None:
        self.recent_questions = [
            question for question in self.recent_questions if question.send_at > moment
        ]
        self.recent_mails = [mail for mail in self.recent_mails if mail.at > moment]

    def _draw_checkin(self, day: date, midnight: datetime) -> DrawOutcome:
        checkin_day = CheckinDay(
            local_day=day,
            zone=self.zone,
            preferences=PREFERENCES,
            answer_times=self.answer_times[-_ANSWER_TIMES:],
            recent_questions=self.recent_questions,
            recent_mails=self.recent_mails,
        )
        uniforms = Uniforms(self.rng.random(), self.rng.random())
        now = midnight.astimezone(UTC)
        return draw_checkin(checkin_day, uniforms, POLICY, now=now)

    def _answer_on_way_out(self, run: Run) -> None:
        lead_time = timedelta(minutes=self.rng.uniform(1, 20))
        if self.rng.random() < PRE_RUN_PROBABILITY:
            at = run.started_at - lead_time
            values = self.feelings.answer_on_way_out(at.astimezone(self.zone))
            self.history.pre_run_answers.append(DemoAnswer(at, values))

    def _ask_about_run(self, felt: RunFelt, learned_at: datetime) -> bool:
        """Let the policy decide about a run; return whether there is a question."""
        run = felt.run
        facts = replace(build_run_facts(run), learned_at=learned_at, is_imported=False)
        situation = Situation(
            has_address=True,
            preferences=PREFERENCES,
            zone=self.zone,
            recent_questions=self.recent_questions,
            runs_at_once=1,
            is_newest=True,
            runs_since_asked=0,
            recent_mails=self.recent_mails,
        )
        verdict = decide_run(facts, situation, POLICY, now=learned_at)
        if not isinstance(verdict, Send):
            self.history.reasons_not_asked[run.id] = verdict.reason
            return False
        is_prompt = self.rng.random() < PROMPT_PROBABILITY
        if self._count_weeks(run.local_day) in DRAWN_WEEKS:
            is_prompt = True
            verdict = self._draw_delay(run, facts, situation, verdict)
        focus = find_turn(FOCUS_TURNS, self._count_weeks(run.local_day))
        wait_min = (
            self.rng.expovariate(1 / 40) if is_prompt else self.rng.uniform(60, 600)
        )
        answered_at = verdict.at + timedelta(minutes=1 + wait_min)
        answer = None
        if self._is_answered(answered_at, verdict.expires_at):
            local_at = answered_at.astimezone(self.zone)
            values = self.feelings.answer_after_run(felt, local_at, focus)
            note = self.notes.draw(felt, values["mood"])
            answer = DemoAnswer(answered_at, values, note)
            self.answer_times.append(local_at.time())
        self._add(
            DemoSurvey(
                kind=SurveyKind.RUN,
                asked_at=verdict.at,
                expires_at=verdict.expires_at,
                local_day=verdict.local_day,
                focus=focus,
                run=run,
                reason=verdict.reason,
                answer=answer,
            )
        )
        return True

    def _ask_at_checkin(self, day: date, at: datetime) -> int:
        """Ask at a moment that was drawn; return the survey's place."""
        preferred_focus = find_turn(CHECKIN_FOCUS_TURNS, self._count_weeks(day))
        focus = choose_focus(at, preferred_focus, self.zone)
        expires_at = at + timedelta(hours=POLICY.checkin_life_h)
        answered_at = at + timedelta(minutes=1 + self.rng.expovariate(1 / 35))
        answer = None
        if self._is_answered(answered_at, expires_at):
            local_at = answered_at.astimezone(self.zone)
            values = self.feelings.answer_checkin(local_at, focus)
            answer = DemoAnswer(answered_at, values)
        self._add(
            DemoSurvey(
                kind=SurveyKind.CHECKIN,
                asked_at=at,
                expires_at=expires_at,
                local_day=day,
                focus=focus,
                tags={"probability": POLICY.checkin_probability},
                answer=answer,
            )
        )
        return len(self.history.surveys) - 1

    def _is_answered(self, answered_at: datetime, expires_at: datetime) -> bool:
        """Draw whether an answer comes: rather on good days, and never at night."""
        logit = 1.7 + 0.3 * self.feelings.day_level
        is_willing = self.rng.random() < 1 / (1 + exp(-logit))
        is_awake = (
            _AWAKE_FROM <= answered_at.astimezone(self.zone).time() <= _AWAKE_UNTIL
        )
        is_answered = (
            (is_willing or self.unanswered_count >= MAX_UNANSWERED)
            and is_awake
            and answered_at < expires_at
        )
        self.unanswered_count = 0 if is_answered else self.unanswered_count + 1
        return is_answered

    def _add(self, survey: DemoSurvey) -> None:
        history, is_about_run = self.history, survey.run is not None
        history.surveys.append(survey)
        self.recent_questions.append(
            RecentQuestion(
                survey_id=len(history.surveys),
                local_day=survey.local_day,
                send_at=survey.asked_at,
                is_sent=True,
                run_day=survey.run.local_day if survey.run is not None else None,
                answered_at=survey.answer.answered_at if survey.answer else None,
            )
        )
        self.recent_mails.append(
            QuestionMail(
                survey_id=len(history.surveys),
                kind=MailKind.SURVEY if is_about_run else MailKind.CHECKIN,
                at=survey.asked_at,
                is_sent=True,
            )
        )

    def _draw_delay(
        self, run: Run, facts: RunFacts, situation: Situation, question: Send
    ) -> Send:
        """Return the question at a drawn time, or as it is if there is no choice."""
        now = facts.learned_at
        offered_h = list_offered_delays(facts, situation, POLICY, now=now)
        if len(offered_h) < MIN_OFFERED:
            return question
        delay = draw_delay(offered_h, self.rng.random())
        plan = plan_delayed_question(
            facts, situation, POLICY, delay_h=delay.delay_h, now=now
        )
        delayed = plan if isinstance(plan, Send) else question
        self.history.delay_draws.append(DemoDelayDraw(run, delay, delayed.at, now))
        return delayed

    def _count_weeks(self, day: date) -> int:
        return (day - self.first_day).days // 7


def find_turn(schedule: Sequence[tuple[str, int]], weeks: int) -> str:
    """Return whose turn it is after so many weeks.

    `schedule` has questions, each with the weeks for which it is asked, in order.
    """
    for key, turn_weeks in schedule:
        weeks -= turn_weeks
        if weeks < 0:
            return key
    return schedule[-1][0]
