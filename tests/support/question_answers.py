"""Answers to every question, ours and a host's, added to a runner's past."""

from datetime import timedelta

from sqlalchemy import select, update

from sync.crypto import Vault
from sync.models import Answer, Run, Runner
from sync.runtime import Runtime
from sync.surveys.instruments import load_library

AFTER_RUNS = (
    "stress",
    "energy",
    "effort",
    "presence",
    "progress",
    "clarity",
    "connection",
)
AT_CHECK_INS = ("stress", "sleep", "confidence", "control", "clarity")


def add_every_answer(runtime: Runtime, runner_id: int) -> None:
    """Let a runner have answered everything after runs, at check-ins and before runs.

    A host's own questions are answered after runs and at check-ins alike.
    """
    library = load_library(runtime.settings.data_dir)
    own = {
        host_question.question.key: list(host_question.question.choices)
        for host_question in library.host_questions
    }
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        vault = runtime.sealer.open_vault(runner.vault_key)
        rows = session.execute(
            select(Answer, Run)
            .join(Run, Run.id == Answer.run_id)
            .where(Answer.runner_id == runner_id, Run.runner_id == runner_id)
            .order_by(Run.started_at)
        ).all()
        for number, (answer, run) in enumerate(rows):
            mood = vault.open(answer.sealed)["mood"]
            said = {key: choices[number % len(choices)] for key, choices in own.items()}
            values = {
                "mood": mood,
                "before": (mood + number) % 5 - 2,
                "company": number % 2,
                "place": number % 3,
                "race": int(number % 9 == 4),
                **dict.fromkeys(AFTER_RUNS, (mood + 2 + number % 2) % 5),
                "energy": 4 if mood == 2 else number % 4,
                **said,
            }
            session.execute(
                update(Answer)
                .where(Answer.runner_id == runner_id, Answer.id == answer.id)
                .values(sealed=vault.seal(values))
            )
            checked = {
                "mood": number % 5 - 2,
                **{key: (number + index) % 5 for index, key in enumerate(AT_CHECK_INS)},
                **said,
            }
            # Now before the run of the day, now after it.
            hours = -6 if number % 2 else 6
            session.add(_build_answer(run, "checkin", vault, checked, hours=hours))
            session.add(
                _build_answer(run, "before", vault, {"mood": number % 5 - 2}, hours=-1)
            )
        runner.data_version += 1


def _build_answer(
    run: Run, kind: str, vault: Vault, values: dict[str, int], *, hours: int
) -> Answer:
    return Answer(
        runner_id=run.runner_id,
        kind=kind,
        instrument=f"{kind}-1",
        reversed_order=False,
        answered_at=run.started_at + timedelta(hours=hours),
        tags={},
        sealed=vault.seal(values),
    )
