"""A few days of a runner's life, so that every table holds something."""

from datetime import timedelta

from sync.analytics.figures import figures_for
from sync.mail import deliver
from sync.models import CheckinDraw, FigureDecision, Runner, SetAside
from sync.runners import connect as linking
from sync.runners import sign_in
from sync.runtime import Runtime
from sync.simulator.records import Athlete
from sync.surveys.answering import answer, pre_run, wellbeing
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in


def live(stage: Stage, athlete: Athlete, runner_id: int) -> None:
    """Run, answer, be asked on a rest day, look at the longer page, sign in."""
    stage.pass_time(minutes=1)
    pre_run.record(
        stage.runtime, token=pre_run.token_for(stage.runtime, runner_id), mood=0
    )
    run = stage.run(athlete, distance_m=8230.4, moving_s=2712, ended_minutes_ago=0)
    stage.tell(athlete, run.id, "create")
    stage.work()
    answer.record(
        stage.runtime, token=token_in(stage.runtime), values={"mood": 1, "stress": 2}
    )
    deliver.deliver_due(stage.runtime)
    with stage.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        runner.preferences = {"units": "mi", "wellbeing": True}
        session.add(_draw(stage, runner_id))
        session.add(_sentence(stage, runner))
        session.add(
            SetAside(
                runner_id=runner_id, source_id=5, reason="no date", at=stage.clock()
            )
        )
    wellbeing.record(stage.runtime, runner_id, _five(stage.runtime, runner_id))
    linking.begin(stage.runtime, browser="browser", consents=None, runner_id=runner_id)
    sign_in.sign_in(stage.runtime, runner_id)
    sign_in.send_link(
        stage.runtime, email=f"runner{runner_id}@example.org", browser="browser"
    )
    figures_for(stage.runtime, runner_id)


def _draw(stage: Stage, runner_id: int) -> CheckinDraw:
    return CheckinDraw(
        runner_id=runner_id,
        local_day=(stage.clock() - timedelta(days=1)).date(),
        probability=0.25,
        drawn=False,
        reason="not drawn",
        decided_at=stage.clock(),
    )


def _sentence(stage: Stage, runner: Runner) -> FigureDecision:
    vault = stage.runtime.sealer.vault(runner.vault_key)
    return FigureDecision(
        runner_id=runner.id,
        panel="mileage",
        milestone=30,
        digest="d1",
        rules=1,
        data_version=1,
        sealed=vault.seal({"sentence": "no_link", "facts": {"n": 30}}),
        decided_at=stage.clock(),
    )


def _five(runtime: Runtime, runner_id: int) -> dict[str, int]:
    page = wellbeing.look(runtime, runner_id)
    assert page.instrument
    return {question.key: 3 for question in page.instrument.questions}
