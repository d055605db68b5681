"""Fill the demo: link a runner, import their runs, and store 18 months of answers.

Runs as a process of its own while the demo starts (`python -m host.seeding`).
Linking and importing use the product's own functions; only the answers are written
straight into the tables, since they would take 18 months.
"""

import json
import sys
from datetime import timedelta
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sync.analytics.dataset.distances import compute_week_loads
from sync.conflicts import retry_conflicts
from sync.crypto import Vault, hash_token, new_token
from sync.errors import MoodmilesError
from sync.models import RUN_IS_TIMED, Answer, Connection, Decision, Run, Runner, Survey
from sync.queue import Job
from sync.runners import account, connect
from sync.runners.rules import ConsentChoices
from sync.runtime import Runtime, build
from sync.settings import load
from sync.standins.demo_answers import DemoAnswer, generate_answers
from sync.strava import SCOPE
from sync.surveys import instruments
from sync.surveys.policy.parameters import Policy
from sync.vocabulary import DecisionReason, DecisionVerdict, SealedColumn, SurveyKind

RUNNER_NAME = "Robin"
SEED = 6
IMPORT_TIMEOUT_S = 60
SURVEY_LIFE = timedelta(hours=Policy().life_h)


def main() -> int:
    runtime = build(load())
    try:
        with runtime.db.read_only() as session:
            is_seeded = session.scalar(select(func.count()).select_from(Runner))
        if not is_seeded:
            runner_id = link_runner(runtime)
            wait_for_import(runtime, runner_id)
            store_past(runtime, runner_id)
    except (MoodmilesError, OSError) as error:
        print(f"The demo's runner could not be made: {error}", file=sys.stderr)
        return 1
    finally:
        runtime.db.close()
    return 0


def link_runner(runtime: Runtime) -> int:
    """Link Robin, who consents to everything, and return the runner's number."""
    consents = ConsentChoices(strava=True, mood=True, mail=True, adult=True)
    url = connect.begin_link(runtime, browser="demo", given_consents=consents)
    state = parse_qs(urlsplit(url).query)["state"][0]
    athlete_ids = {
        athlete["firstname"]: athlete["id"]
        for athlete in _call_simulator(runtime, "/state")["athletes"]
    }
    grant_path = f"/athletes/{athlete_ids[RUNNER_NAME]}/grant"
    code = _call_simulator(runtime, grant_path, {"scope": SCOPE})["code"]
    linked = connect.finish_link(
        runtime, state=state, browser="demo", code=code, scope=SCOPE
    )
    return linked.runner_id


def wait_for_import(runtime: Runtime, runner_id: int) -> None:
    """Wait until the worker has imported all runs and decided about each of them.

    Raises `MoodmilesError` after `IMPORT_TIMEOUT_S`.
    """
    deadline = monotonic() + IMPORT_TIMEOUT_S
    while monotonic() < deadline:
        progress = account.load_import_progress(runtime, runner_id)
        with runtime.db.read_only() as session:
            undecided = session.scalar(
                select(func.count())
                .select_from(Run)
                .where(Run.undecided_since.is_not(None))
            )
        if progress is not None and progress.is_done and not undecided:
            return
        runtime.queue.wake(Job.BACKFILL)
        sleep(0.1)
    raise MoodmilesError("the import of the runs takes too long; see the worker's log.")


@retry_conflicts
def store_past(runtime: Runtime, runner_id: int) -> None:
    """Store the demo's answers, unless another start has stored them just now."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        has_answers = select(Answer.id).where(Answer.runner_id == runner_id).limit(1)
        if session.scalar(has_answers) is None:
            store_demo_answers(runtime, session, runner_id)


def store_demo_answers(runtime: Runtime, session: Session, runner_id: int) -> None:
    """Store a confirmed address and the surveys and answers since the first run."""
    runner = session.get_one(Runner, runner_id)
    address = "robin@example.org"
    now = runtime.db.now(session)
    runner.email = runtime.sealer.seal(address, SealedColumn.ADDRESS)
    runner.email_hash = runtime.sealer.lookup_hashes(address)[0]
    runner.email_confirmed_at = now
    runs = session.scalars(
        select(Run)
        .where(Run.runner_id == runner_id, RUN_IS_TIMED)
        .order_by(Run.started_at, Run.id)
    ).all()
    # The answers begin with the first run, so the link must be older.
    runner.created_at = runs[0].started_at - timedelta(days=1)
    session.get_one(Connection, runner.id).linked_at = runner.created_at
    loads = compute_week_loads(
        [run.distance_m for run in runs], [run.local_day.toordinal() for run in runs]
    ).tolist()
    runs_by_id = {run.id: run for run in runs}
    vault = runtime.sealer.open_vault(runner.vault_key)
    for demo_answer in generate_answers(runs, loads, seed=SEED):
        if demo_answer.answered_at < now:
            run = runs_by_id.get(demo_answer.run_id or 0)
            store_demo_answer(session, vault, runner, run, demo_answer)
    runner.data_version += 1


def store_demo_answer(
    session: Session, vault: Vault, runner: Runner, run: Run | None, demo: DemoAnswer
) -> None:
    """Store a survey, about `run` or else a check-in, and its answer, if any."""
    life = SURVEY_LIFE if run else timedelta(hours=4)
    survey = Survey(
        runner_id=runner.id,
        run_id=run.id if run else None,
        pairing_key=vault.pairing_key(run.source, run.source_id) if run else None,
        kind=SurveyKind.RUN if run else SurveyKind.CHECKIN,
        token_hash=hash_token(new_token()),
        instrument=instruments.CURRENT_RUN_INSTRUMENT,
        reversed_order=False,
        created_at=demo.asked_at,
        send_at=demo.asked_at,
        sent_at=demo.asked_at,
        expires_at=demo.asked_at + life,
    )
    session.add(survey)
    session.flush()
    if run is not None:
        session.execute(
            update(Decision)
            .where(Decision.run_id == run.id)
            .values(
                verdict=DecisionVerdict.SEND,
                reason=DecisionReason.AFTER_RUN,
                minutes_since_end=30,
            )
        )
    if demo.values:
        session.add(
            Answer(
                runner_id=survey.runner_id,
                run_id=survey.run_id,
                survey_id=survey.id,
                pairing_key=survey.pairing_key,
                kind=survey.kind,
                instrument=survey.instrument,
                reversed_order=survey.reversed_order,
                answered_at=demo.answered_at,
                minutes_since_end=demo.minutes_since_end,
                tags={},
                sealed=vault.seal(demo.values),
            )
        )


def _call_simulator(
    runtime: Runtime, path: str, body: dict[str, str] | None = None
) -> Any:
    """Call the simulator's control API."""
    request = Request(  # noqa: S310  our own simulator
        f"{runtime.settings.strava_site_url}/control{path}",
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"},
    )
    # It is on this machine, where no proxy of the environment leads.
    opener = build_opener(ProxyHandler({}))
    with opener.open(request, timeout=10) as response:
        return json.load(response)


if __name__ == "__main__":
    raise SystemExit(main())
