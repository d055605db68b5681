"""Store the demo's made-up questions and answers, many rows at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from sync.analytics.dataset.distances import compute_week_loads
from sync.crypto import Vault, hash_token, new_token
from sync.models import (
    RUN_IS_TIMED,
    Answer,
    AnswerNote,
    CheckinDraw,
    Connection,
    Decision,
    DelayDraw,
    Run,
    Runner,
    Survey,
)
from sync.runtime import Runtime
from sync.standins.demo_answers import (
    LEARNED_AFTER,
    POLICY,
    DemoAnswer,
    DemoDelayDraw,
    DemoHistory,
    DemoSurvey,
    generate_history,
    group_by_day,
)
from sync.surveys import instruments
from sync.surveys.answering import pairing
from sync.surveys.answering.own_notes import encode_note
from sync.time_zones import get_zone
from sync.vocabulary import AnswerKind, DecisionVerdict, InstrumentKind, SealedColumn

ADDRESS = "robin@example.org"
SEED = 6
_ONE_MINUTE = timedelta(minutes=1)


def store_demo_answers(runtime: Runtime, session: Session, runner_id: int) -> None:
    """Store a confirmed address, and what was asked and answered since the first run.

    The runner's runs must be imported and decided about.
    """
    runner = session.get_one(Runner, runner_id)
    now = runtime.db.now(session)
    runner.email = runtime.sealer.seal(ADDRESS, SealedColumn.ADDRESS)
    runner.email_hash = runtime.sealer.lookup_hashes(ADDRESS)[0]
    runner.email_confirmed_at = now
    runs = session.scalars(
        select(Run)
        .where(Run.runner_id == runner_id, RUN_IS_TIMED)
        .order_by(Run.started_at, Run.id)
    ).all()
    # The answers begin with the first run, so the link must be older.
    runner.created_at = runs[0].started_at - timedelta(days=1)
    session.get_one(Connection, runner_id).linked_at = runner.created_at
    loads_m = compute_week_loads(
        [run.distance_m for run in runs], [run.local_day.toordinal() for run in runs]
    ).tolist()
    zone = get_zone(runner.zone)
    history = generate_history(runs, loads_m, zone=zone, now=now, seed=SEED)
    library = instruments.load_library(runtime.settings.data_dir)
    rows = _RowBuilder(
        runner_id=runner_id,
        zone=zone,
        vault=runtime.sealer.open_vault(runner.vault_key),
        library=library,
        answer_bytes=library.answer_bytes,
        runs_by_day=group_by_day(runs),
    )
    _store_history(session, rows, history)
    runner.data_version += 1


def _store_history(session: Session, rows: "_RowBuilder", history: DemoHistory) -> None:
    """Store the questions first, and then what names them."""
    surveys = [rows.build_survey(survey) for survey in history.surveys]
    session.add_all(surveys)
    session.flush()
    survey_ids = [survey.id for survey in surveys]
    session.execute(
        insert(CheckinDraw),
        [
            {
                "runner_id": rows.runner_id,
                "local_day": draw.local_day,
                "probability": POLICY.checkin_probability,
                "drawn": draw.outcome.is_drawn,
                "reason": draw.outcome.reason,
                "survey_id": None
                if draw.survey_index is None
                else survey_ids[draw.survey_index],
                "decided_at": draw.decided_at,
            }
            for draw in history.draws
        ],
    )
    session.add_all(map(rows.build_delay_draw, history.delay_draws))
    session.connection().execute(
        update(Decision)
        .where(
            Decision.runner_id == rows.runner_id,
            Decision.run_id == bindparam("decided_run_id"),
        )
        .values(
            verdict=bindparam("given_verdict"),
            reason=bindparam("given_reason"),
            minutes_since_end=LEARNED_AFTER // _ONE_MINUTE,
        ),
        list_decisions(history),
    )
    answers = [
        (survey.answer, rows.build_answer(survey, survey.answer, survey_id))
        for survey, survey_id in zip(history.surveys, survey_ids, strict=True)
        if survey.answer is not None
    ]
    session.add_all(row for _, row in answers)
    session.add_all(map(rows.build_pre_run_answer, history.pre_run_answers))
    session.flush()
    session.add_all(
        rows.build_note(answer, row) for answer, row in answers if answer.note
    )


def list_decisions(history: DemoHistory) -> list[dict[str, Any]]:
    """Return for each run whether it was asked about, and the reason."""
    asked = [
        {
            "decided_run_id": survey.run.id,
            "given_verdict": DecisionVerdict.SEND,
            "given_reason": survey.reason,
        }
        for survey in history.surveys
        if survey.run is not None
    ]
    not_asked = [
        {
            "decided_run_id": run_id,
            "given_verdict": DecisionVerdict.WITHHOLD,
            "given_reason": reason,
        }
        for run_id, reason in history.reasons_not_asked.items()
    ]
    return asked + not_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowBuilder:
    """Turns what was made up about one runner into rows."""

    runner_id: int
    zone: ZoneInfo
    vault: Vault
    library: instruments.InstrumentLibrary
    answer_bytes: int
    runs_by_day: Mapping[date, Sequence[Run]]

    @property
    def is_reversed(self) -> bool:
        return self.runner_id % 2 == 1

    def build_survey(self, survey: DemoSurvey) -> Survey:
        run = survey.run
        return Survey(
            runner_id=self.runner_id,
            run_id=run.id if run else None,
            pairing_key=self._build_pairing_key(run),
            kind=survey.kind,
            token_hash=hash_token(new_token()),
            instrument=self.library.get_current(InstrumentKind(survey.kind)).id,
            reversed_order=self.is_reversed,
            focus=survey.focus,
            tags=dict(survey.tags),
            local_day=survey.local_day,
            created_at=survey.asked_at,
            send_at=survey.asked_at,
            sent_at=survey.asked_at,
            expires_at=survey.expires_at,
        )

    def build_answer(
        self, survey: DemoSurvey, answer: DemoAnswer, survey_id: int
    ) -> Answer:
        run = survey.run
        row = Answer(
            runner_id=self.runner_id,
            run_id=run.id if run else None,
            survey_id=survey_id,
            pairing_key=self._build_pairing_key(run),
            kind=AnswerKind(survey.kind),
            instrument=self.library.get_current(InstrumentKind(survey.kind)).id,
            reversed_order=self.is_reversed,
            answered_at=answer.answered_at,
            minutes_since_end=(answer.answered_at - run.ended_at) // _ONE_MINUTE
            if run
            else None,
            tags=dict(survey.tags),
            sealed=self.vault.seal(answer.values, min_bytes=self.answer_bytes),
        )
        if run is None:
            row.tags = dict(survey.tags) | self._build_day_tags(row)
        return row

    def build_pre_run_answer(self, answer: DemoAnswer) -> Answer:
        row = Answer(
            runner_id=self.runner_id,
            kind=AnswerKind.PRE_RUN,
            instrument=self.library.get_current(InstrumentKind.PRE_RUN).id,
            reversed_order=self.is_reversed,
            answered_at=answer.answered_at,
            tags={},
            sealed=self.vault.seal(answer.values, min_bytes=self.answer_bytes),
        )
        row.tags = self._build_day_tags(row)
        return row

    def build_delay_draw(self, draw: DemoDelayDraw) -> DelayDraw:
        run = draw.run
        return DelayDraw(
            runner_id=self.runner_id,
            run_id=run.id,
            pairing_key=self.vault.pairing_key(run.source, run.source_id),
            delay_h=draw.delay.delay_h,
            odds={str(hours): share for hours, share in draw.delay.odds.items()},
            asks_at=draw.asks_at,
            drawn_at=draw.drawn_at,
        )

    def build_note(self, answer: DemoAnswer, row: Answer) -> AnswerNote:
        sealed = self.vault.seal(encode_note(answer.note), SealedColumn.ANSWER_NOTE)
        return AnswerNote(
            answer_id=row.id,
            runner_id=self.runner_id,
            written_at=answer.answered_at,
            sealed=sealed,
        )

    def _build_pairing_key(self, run: Run | None) -> str | None:
        if run is None:
            return None
        return self.vault.pairing_key(run.source, run.source_id)

    def _build_day_tags(self, row: Answer) -> dict[str, Any]:
        """Return what the runs of the day say about an answer."""
        local_day = row.answered_at.astimezone(self.zone).date()
        tags: dict[str, Any] = {}
        for run in self.runs_by_day.get(local_day, ()):
            tags |= pairing.build_tags(row, run, self.vault)
        return tags
