"""Ada, who has a bit of everything, and Ben, who should never see any of it."""

from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from sync.models import Answer, Export, Mail, MailLink, Survey
from sync.portability import exports
from sync.runners import address, sign_in
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.web.conftest import Browser
from web.app import create_app

ADAS_RUN_M, BENS_RUN_M = 23_460, 5_000
ADDRESS = "ada-canary@example.org"


@dataclass(frozen=True)
class Two:
    """Two runners: what is Ada's, and browsers that are not."""

    app: Flask
    runtime: Runtime
    ada: int
    ben: int
    ids: dict[str, str]
    marks: tuple[str, ...]

    def browser(self, runner_id: int | None) -> Browser:
        browser = Browser(self.app.test_client(), self.runtime)
        if runner_id is not None:
            browser.sign_in(runner_id)
        return browser


def two_on(stage: Stage) -> Two:
    """Put both on the stage."""
    runtime = stage.runtime
    ada = runner_with_everything(stage)
    ids = ids_of(runtime, ada, stage)  # while every newest mail is hers
    ben = linked(stage, 8, BENS_RUN_M)
    marks = (ADDRESS, "23.46", "23.5", "23460", ids["run at Strava"])
    return Two(create_app(runtime), runtime, ada, ben, ids, marks)


def linked(stage: Stage, athlete_id: int, distance_m: float) -> int:
    athlete = stage.athlete(athlete_id)
    runner_id = stage.link(athlete)
    stage.work()
    run = stage.run(athlete, distance_m=distance_m, ended_minutes_ago=5)
    stage.tell(athlete, run.id, "create")
    stage.work()
    return runner_id


def runner_with_everything(stage: Stage) -> int:
    """Link Ada, ask and answer, and leave something open of every kind."""
    runtime = stage.runtime
    ada = linked(stage, 7, ADAS_RUN_M)
    address.ask(runtime, runner_id=ada, email=ADDRESS)
    address.confirm(runtime, token=token_in(runtime, "confirm_address"))
    address.ask(runtime, runner_id=ada, email=f"new-{ADDRESS}")
    sign_in.send_link(runtime, email=ADDRESS, browser="ada's browser")
    pre_run.record(runtime, token=pre_run.token_for(runtime, ada), mood=1)
    exports.ask(runtime, ada)
    exports.drain(runtime)
    return ada


def ids_of(runtime: Runtime, ada: int, stage: Stage) -> dict[str, str]:
    """Return every id and token of Ada's, by what it is the id of."""
    with runtime.db.reading() as session:
        newest = {
            name: str(session.scalars(select(column).order_by(column)).first())
            for name, column in {
                "survey": Survey.id,
                "answer": Answer.id,
                "mail": Mail.id,
                "export": Export.id,
            }.items()
        }
        survey = session.scalars(select(Survey).where(Survey.runner_id == ada)).one()
        link = session.scalars(select(MailLink.token_hash)).first()
    return newest | {
        "runner": str(ada),
        "athlete": "7",
        "run": str(survey.run_id),
        "run at Strava": str(stage.world.activities_of(7)[0].id),
        "survey token": token_in(runtime, "survey"),
        "unsubscribe token": unsubscribe.token_for(runtime, ada),
        "before token": pre_run.token_for(runtime, ada),
        "confirm token": token_in(runtime, "confirm_address"),
        "sign-in link": token_in(runtime, "sign_in_link"),
        "sign-in": sign_in.sign_in(runtime, ada),
        "hash of a link": str(link),
        "consent": "mood",
        "path": "../../../moodmiles.sqlite3",
    }
