"""Look at each new run once: decide, note why, and promise the mail."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import work
from sync.conflicts import retry_conflicts
from sync.models import Run, Runner, Survey
from sync.queue import Job
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import store
from sync.surveys.answering import pairing
from sync.surveys.policy.frequency import (
    count_ignored_questions,
    count_ignored_reminders,
)
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import (
    Burst,
    Send,
    decide_run,
    find_bursts,
    minutes_since_end,
)
from sync.surveys.policy.situation import RunFacts, Situation
from sync.surveys.sending import reevaluate, schedule
from sync.surveys.sending.delay_draws import draw_question_time
from sync.surveys.sending.schedule import SurveyContext
from sync.time_zones import get_zone
from sync.vocabulary import DecisionReason, DecisionVerdict
from sync.work import RunnerDueWork, RunnerRange, RunnerTask

log = structlog.get_logger()

POLICY = Policy()


class DecisionWork(RunnerDueWork[bool]):
    """Runs that no decision exists for, or whose end has changed since.

    An item is a batch of one runner's runs, and whether some have changed.
    """

    job = Job.SURVEYS

    def __init__(self) -> None:
        self._has_looked_for_changes = False

    @override
    def find_due(
        self, session: Session, *, now: datetime, runners: RunnerRange
    ) -> list[RunnerTask[bool]]:
        waiting_ids = store.find_waiting_runners(session, runners.includes(Runner.id))
        has_changes = dict.fromkeys(waiting_ids, False)
        if not self._has_looked_for_changes:
            for survey in reevaluate.find_changed_surveys(
                session, POLICY, runners.includes(Survey.runner_id)
            ):
                has_changes[survey.runner_id] = True
        return [RunnerTask(runner_id, flag) for runner_id, flag in has_changes.items()]

    @override
    def claim(self, runtime: Runtime) -> Iterator[RunnerTask[bool]]:
        # A runner may have more runs than one batch holds.
        is_idle = False
        while not is_idle:
            is_idle = True
            for task in super().claim(runtime):
                is_idle = False
                self._has_looked_for_changes = True
                yield task

    @override
    @retry_conflicts
    def handle(self, runtime: Runtime, item: RunnerTask[bool]) -> None:
        with runtime.db.transaction() as session:
            runner = store.lock_runner(session, item.runner_id)
            if runner is not None:
                if item.detail:
                    reevaluate.reopen_changed_runs(session, item.runner_id, POLICY)
                decide_batch(runtime, session, runner)
            self.settle(session, item)


def process_due(runtime: Runtime) -> None:
    """Decide about every run that no decision exists for yet."""
    work.process_due(runtime, DecisionWork())


def decide_batch(runtime: Runtime, session: Session, runner: Runner) -> None:
    """Decide about the runs that waited longest, `store.BATCH_SIZE` at most."""
    runner_id = runner.id
    now = runtime.db.now(session)
    linked_at = store.get_linked_at(session, runner_id) or now
    context = SurveyContext(runtime, session, runner, linked_at, now, POLICY)
    undecided = store.load_undecided_runs(session, runner_id)
    if not undecided:
        return
    _update_zone(context, undecided[-1])
    # Only since shortly before linking may the runner have been asked about runs.
    since = context.linked_at - timedelta(days=1)
    recent_runs = store.load_runs(
        session,
        runner_id,
        [facts.run_id for facts in undecided if facts.started_at > since],
    )
    # All are decided before any is noted: a later one may take an earlier one over.
    decisions = decide_runs(context, undecided, {run.id: run for run in recent_runs})
    store.save_decisions(
        session, runner_id, [decision.columns for decision in decisions]
    )
    pairing.tag_answers(session, runner_id, recent_runs, context.vault)
    log.info("runs decided", runner_id=runner_id, runs=len(decisions))


@dataclass(frozen=True, slots=True)
class RunDecision:
    """The row of a decision, and the survey that came of it."""

    values: Mapping[str, object]
    survey: Survey | None

    @property
    def columns(self) -> dict[str, object]:
        """The row's values, as the survey stands after all were decided."""
        columns = dict(self.values)
        if self.survey is not None and self.survey.cancelled_for is not None:
            columns["verdict"] = DecisionVerdict.WITHHOLD
            columns["reason"] = self.survey.cancelled_for.as_decision
        return columns


def decide_runs(
    context: SurveyContext,
    undecided: Sequence[RunFacts],
    recent_runs: Mapping[int, Run],
) -> list[RunDecision]:
    """Decide about each run in turn; only recent ones need a look at the past.

    The others come first, and nothing that is decided about them changes what the
    next one is judged by: a long past is imported without a query per run.
    """
    bursts = find_bursts(undecided, context.policy)
    base_situation = _build_situation(context)
    situation_by_burst = {
        burst: _with_burst(burst, base_situation) for burst in set(bursts)
    }
    policy_values = context.policy.to_dict()
    decisions = []
    for facts, burst in zip(undecided, bursts, strict=True):
        run = recent_runs.get(facts.run_id)
        situation = (
            situation_by_burst[burst]
            if run is None
            else _with_burst(burst, _load_situation(context, run))
        )
        verdict = decide_run(facts, situation, context.policy, now=context.now)
        survey = None
        if isinstance(verdict, Send):
            (asked_run,) = store.load_runs(
                context.session, context.runner.id, [facts.run_id]
            )
            verdict = draw_question_time(context, asked_run, facts, situation, verdict)
            survey = schedule.enqueue_run_survey(context, asked_run, verdict)
        elif verdict.reason == DecisionReason.FIVE_UNANSWERED:
            schedule.enqueue_slow_down(
                context, unanswered_count=situation.ignored_count
            )
        decision = {
            "run_id": facts.run_id,
            "runner_id": context.runner.id,
            "verdict": DecisionVerdict.SEND
            if isinstance(verdict, Send)
            else DecisionVerdict.WITHHOLD,
            "reason": verdict.reason,
            "minutes_since_end": minutes_since_end(facts, now=context.now),
            "policy": policy_values,
            "decided_at": context.now,
        }
        decisions.append(RunDecision(decision, survey))
    return decisions


def _build_situation(context: SurveyContext) -> Situation:
    """Return how the runner stands, without what was asked lately."""
    runner = context.runner
    return Situation(
        has_address=runner.email_confirmed_at is not None
        and runner.email_bounced_at is None,
        preferences=context.preferences,
        zone=get_zone(runner.zone),
        recent_questions=(),
        runs_at_once=1,
        is_newest=True,
        runs_since_asked=0,
    )


def _with_burst(burst: Burst, situation: Situation) -> Situation:
    return replace(situation, runs_at_once=burst.size, is_newest=burst.is_last)


def _load_situation(context: SurveyContext, run: Run) -> Situation:
    """Return how the runner stands, what was asked lately, and how they took it."""
    session, runner_id, now = context.session, context.runner.id, context.now
    key = context.vault.pairing_key(run.source, run.source_id)
    reevaluate.discard_unsent_survey(session, runner_id, key)
    since = context.preferences.slowed_at
    responses = store.load_responses(session, runner_id, since=since, now=now)
    return replace(
        _build_situation(context),
        recent_questions=store.load_recent_questions(session, runner_id, now=now),
        recent_mails=store.load_recent_mails(session, runner_id, now=now),
        runs_since_asked=store.count_runs_since_survey(
            session, runner_id, before=run.started_at, now=now
        ),
        was_asked_before=store.was_asked_before(session, runner_id, key),
        ignored_count=count_ignored_questions(responses),
        ignored_reminder_count=count_ignored_reminders(responses),
    )


def _update_zone(context: SurveyContext, last_decided: RunFacts) -> None:
    """Quiet hours follow the runner: the zone of the newest run is the current one."""
    newest = store.load_newest_run(context.session, context.runner.id)
    if newest is None or newest.zone is None:
        return
    if newest.started_at != last_decided.started_at:
        return  # an old one that was imported late says nothing about today
    if newest.zone != context.runner.zone and get_zone(newest.zone).key == newest.zone:
        context.runner.zone = newest.zone
        # Check-ins fall on the new zone's days: what was drawn is out of date.
        runners.bump_data_version(context.session, context.runner.id)
