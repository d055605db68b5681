"""Ada, who has a bit of everything, and Ben, who should never see any of it."""

from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from sync.models import Answer, Export, Mail, MailLink, Survey
from sync.portability import exports
from sync.runners import address, sign_in
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import own_notes, pre_run
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient
from web.app import create_app

ADAS_RUN_M, BENS_RUN_M = 23_460, 5_000
ADDRESS = "ada-canary@example.org"
NOTE = "the quiet path past the mill"


@dataclass(frozen=True)
class TwoRunners:
    """Two runners: what is Ada's, and browsers that are not."""

    app: Flask
    runtime: Runtime
    subject_id: int
    other_id: int
    ids: dict[str, str]
    marks: tuple[str, ...]

    def browser(self, runner_id: int | None) -> PageClient:
        browser = PageClient(self.app.test_client(), self.runtime)
        if runner_id is not None:
            browser.sign_in(runner_id)
        return browser


def add_two_runners(harness: Harness) -> TwoRunners:
    """Put both on the stage."""
    runtime = harness.runtime
    subject_id = add_full_runner(harness)
    ids = collect_ids(runtime, subject_id, harness)  # while every newest mail is hers
    other_id = link_runner_with_run(harness, 8, BENS_RUN_M)
    marks = (ADDRESS, NOTE, "23.46", "23.5", "23460", ids["run at Strava"])
    return TwoRunners(create_app(runtime), runtime, subject_id, other_id, ids, marks)


def link_runner_with_run(harness: Harness, athlete_id: int, distance_m: float) -> int:
    athlete = harness.add_athlete(athlete_id)
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    # As fast as runners are: what none can run is not asked about.
    run = harness.finish_run(
        athlete,
        distance_m=distance_m,
        moving_s=int(distance_m / 3),
        ended_minutes_ago=5,
    )
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return runner_id


def add_full_runner(harness: Harness) -> int:
    """Link Ada, ask and answer, and leave something open of every kind."""
    runtime = harness.runtime
    subject_id = link_runner_with_run(harness, 7, ADAS_RUN_M)
    address.request_confirmation(runtime, runner_id=subject_id, email=ADDRESS)
    address.confirm_address(
        runtime, token=read_pending_token(runtime, "confirm_address")
    )
    address.request_confirmation(runtime, runner_id=subject_id, email=f"new-{ADDRESS}")
    sign_in.enqueue_sign_in_link(runtime, email=ADDRESS, browser="ada's browser")
    pre_run.record_mood(
        runtime, token=pre_run.create_token(runtime, subject_id), mood=1
    )
    with runtime.db.read_only() as session:
        answer_id = session.scalars(select(Answer.id)).one()
    own_notes.save_for_answer(
        runtime, runner_id=subject_id, answer_id=answer_id, text=NOTE
    )
    exports.request_export(runtime, subject_id)
    exports.process_due(runtime)
    return subject_id


def collect_ids(runtime: Runtime, subject_id: int, harness: Harness) -> dict[str, str]:
    """Return every id and token of Ada's, by what it is the id of."""
    with runtime.db.read_only() as session:
        newest = {
            name: str(session.scalars(select(column).order_by(column)).first())
            for name, column in {
                "survey": Survey.id,
                "answer": Answer.id,
                "mail": Mail.id,
                "export": Export.id,
            }.items()
        }
        survey = session.scalars(
            select(Survey).where(Survey.runner_id == subject_id)
        ).one()
        link = session.scalars(select(MailLink.token_hash)).first()
    return newest | {
        "runner": str(subject_id),
        "athlete": "7",
        "run": str(survey.run_id),
        "run at Strava": str(harness.world.list_activities(7)[0].id),
        "survey token": read_pending_token(runtime, "survey"),
        "unsubscribe token": unsubscribe.create_token(runtime, subject_id),
        "before token": pre_run.create_token(runtime, subject_id),
        "confirm token": read_pending_token(runtime, "confirm_address"),
        "sign-in link": read_pending_token(runtime, "sign_in_link"),
        "sign-in": sign_in.sign_in(runtime, subject_id),
        "hash of a link": str(link),
        "consent": "mood",
        "path": "../../../moodmiles.sqlite3",
    }
