"""Fill the demo: link a runner, import their runs, and store 18 months of answers.

Runs as a process of its own while the demo starts (`python -m host.seeding`).
Linking and importing use the product's own functions; only the answers are written
straight into the tables, since they would take 18 months.
"""

import json
import sys
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from sqlalchemy import func, select

from host.demo_rows import store_demo_answers
from sync.conflicts import retry_conflicts
from sync.errors import MoodmilesError
from sync.models import Answer, Run, Runner
from sync.queue import Job
from sync.runners import account, connect
from sync.runners.rules import ConsentChoices
from sync.runtime import Runtime, build
from sync.settings import load
from sync.strava import SCOPE

RUNNER_NAME = "Robin"
IMPORT_TIMEOUT_S = 60


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
