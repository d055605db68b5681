"""What was asked and mailed comes along, and is known by its run."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from sync.models import Answer, Mail, Run
from sync.portability.import_runner import bring_in
from sync.runners import disconnect
from tests.support.harness import Stage
from tests.support.second_instance import counts, exported, zipped
from tests.sync.portability.test_round_trip import there

__all__ = ["there"]


def test_mails_are_remembered_and_none_leaves_again(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    sent = exported(stage.runtime, runner_id)

    brought = bring_in(there.runtime, zipped(tmp_path, sent))

    with there.runtime.db.reading() as session:
        mails = session.scalars(
            select(Mail).where(Mail.runner_id == brought.runner_id)
        ).all()
    told = json.loads(sent["mails.json"])
    assert [mail.kind for mail in mails] == [mail["kind"] for mail in told]
    assert {mail.due_at for mail in mails} == {None}
    assert "brought in" in {mail.withheld_for for mail in mails}


def asked_later(stage: Stage, files: dict[str, bytes]) -> dict[str, bytes]:
    """Let the questions be those of another place, which asked a minute later."""
    asked = json.loads(files["surveys.json"])
    for survey in asked:
        survey["created_at"] = (stage.clock() + timedelta(minutes=1)).isoformat()
    return files | {"surveys.json": json.dumps(asked).encode()}


def test_what_was_asked_about_a_run_that_went_everywhere_is_there_once(
    stage: Stage, runner_id: int, tmp_path: Path
) -> None:
    disconnect.disconnect(stage.runtime, runner_id)
    files = asked_later(stage, exported(stage.runtime, runner_id))
    before = counts(stage.runtime)

    bring_in(stage.runtime, zipped(tmp_path, files), runner_id=runner_id)

    after = counts(stage.runtime)
    same = ("run", "survey", "answer")
    assert [after[name] for name in same] == [before[name] for name in same]


def test_what_was_asked_here_about_a_run_that_went_is_known_by_the_run(
    stage: Stage, runner_id: int, tmp_path: Path
) -> None:
    files = asked_later(stage, exported(stage.runtime, runner_id))
    before = counts(stage.runtime)
    disconnect.disconnect(stage.runtime, runner_id)

    bring_in(stage.runtime, zipped(tmp_path, files), runner_id=runner_id)

    after = counts(stage.runtime)
    same = ("run", "survey", "answer")
    assert [after[name] for name in same] == [before[name] for name in same]
    with stage.runtime.db.reading() as session:
        answered = select(Run.source).join(Answer, Answer.run_id == Run.id)
        assert set(session.scalars(answered)) == {"strava"}
