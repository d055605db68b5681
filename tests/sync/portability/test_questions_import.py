"""What was asked and mailed comes along, and is known by its run."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from sync.models import Answer, Mail, Run
from sync.portability.import_runner import import_runner
from sync.runners import disconnect
from tests.support.harness import Harness
from tests.support.second_instance import count_rows, read_export, write_export
from tests.sync.portability.test_round_trip import second_instance

__all__ = ["second_instance"]


def test_mails_are_remembered_and_none_leaves_again(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    sent = read_export(harness.runtime, runner_id)

    brought = import_runner(second_instance.runtime, write_export(tmp_path, sent))

    with second_instance.runtime.db.read_only() as session:
        mails = session.scalars(
            select(Mail).where(Mail.runner_id == brought.runner_id)
        ).all()
    told = json.loads(sent["mails.json"])
    assert [mail.kind for mail in mails] == [mail["kind"] for mail in told]
    assert {mail.due_at for mail in mails} == {None}
    assert "brought in" in {mail.withheld_for for mail in mails}


def postpone_surveys(harness: Harness, files: dict[str, bytes]) -> dict[str, bytes]:
    """Let the questions be those of another place, which asked a minute later."""
    surveys = json.loads(files["surveys.json"])
    for survey in surveys:
        survey["created_at"] = (harness.clock() + timedelta(minutes=1)).isoformat()
    return files | {"surveys.json": json.dumps(surveys).encode()}


def test_what_was_asked_about_a_run_that_went_everywhere_is_there_once(
    harness: Harness, runner_id: int, tmp_path: Path
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)
    files = postpone_surveys(harness, read_export(harness.runtime, runner_id))
    before = count_rows(harness.runtime)

    import_runner(harness.runtime, write_export(tmp_path, files), runner_id=runner_id)

    after = count_rows(harness.runtime)
    same = ("run", "survey", "answer")
    assert [after[name] for name in same] == [before[name] for name in same]


def test_what_was_asked_here_about_a_run_that_went_is_known_by_the_run(
    harness: Harness, runner_id: int, tmp_path: Path
) -> None:
    files = postpone_surveys(harness, read_export(harness.runtime, runner_id))
    before = count_rows(harness.runtime)
    disconnect.disconnect(harness.runtime, runner_id)

    import_runner(harness.runtime, write_export(tmp_path, files), runner_id=runner_id)

    after = count_rows(harness.runtime)
    same = ("run", "survey", "answer")
    assert [after[name] for name in same] == [before[name] for name in same]
    with harness.runtime.db.read_only() as session:
        answered = select(Run.source).join(Answer, Answer.run_id == Run.id)
        assert set(session.scalars(answered)) == {"strava"}
