"""An export's pairing keys fit where it is taken in, whatever made them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from sync.crypto import Vault, hash_run
from sync.models import Answer, Run, Survey
from sync.portability.import_runner import import_runner
from sync.runners import disconnect
from sync.runners import store as runners
from sync.runners.retained_runs import retained_source_id
from sync.runtime import Runtime
from sync.surveys.answering import retained_runs
from tests.support.harness import Harness
from tests.support.second_instance import read_export, write_export
from tests.sync.portability.test_round_trip import second_instance

__all__ = ["second_instance"]


@dataclass(frozen=True)
class Exported:
    """A file, and Strava's numbers of the runs that its answers and surveys are of."""

    files: Mapping[str, bytes]
    vault: Vault
    strava_ids: frozenset[int]

    def to_earlier_release(self) -> dict[str, bytes]:
        """Return the file as the release before wrote it: plain hashes, no secret."""
        account = json.loads(self.files["account.json"])
        del account["pairing_secret"]
        files = dict(self.files) | {"account.json": json.dumps(account).encode()}
        for strava_id in self.strava_ids:
            key = self.vault.pairing_key("strava", strava_id)
            former = hash_run("strava", strava_id)
            number, former_number = map(retained_source_id, (key, former))
            for name in ("surveys.json", "answers.json"):
                files[name] = files[name].replace(key.encode(), former.encode())
            files["runs.json"] = files["runs.json"].replace(
                b'"source_id": %d' % number, b'"source_id": %d' % former_number
            )
        return files


def open_vault(runtime: Runtime, runner_id: int) -> Vault:
    with runtime.db.read_only() as session:
        return runners.open_vault(session, runtime.sealer, runner_id)


def list_keys(runtime: Runtime, runner_id: int) -> set[str]:
    """Return every pairing key that the runner's rows hold."""
    with runtime.db.read_only() as session:
        keys = {
            key
            for table in (Answer, Survey)
            for key in session.scalars(
                select(table.pairing_key).where(table.runner_id == runner_id)
            )
            if key is not None
        }
        tags = session.scalars(select(Answer.tags).where(Answer.runner_id == runner_id))
        return keys | {tag["paired_with"] for tag in tags if "paired_with" in tag}


@pytest.fixture
def exported(harness: Harness, runner_id: int) -> Exported:
    """Export when Strava's runs have gone, and one stays in the runner's own log."""
    vault = open_vault(harness.runtime, runner_id)
    with harness.runtime.db.read_only() as session:
        runs = session.scalars(select(Run).where(Run.runner_id == runner_id)).all()
        keys = {vault.pairing_key("strava", run.source_id): run for run in runs}
        answered_id = session.scalars(
            select(Answer.run_id).where(Answer.run_id.is_not(None))
        ).one()
    settings = harness.runtime.settings.model_copy(update={"strava_retention_days": 90})
    retained_runs.set_retained_for_run(
        replace(harness.runtime, settings=settings),
        runner_id,
        answered_id or 0,
        retain=True,
    )
    disconnect.disconnect(harness.runtime, runner_id)
    paired = list_keys(harness.runtime, runner_id)
    assert paired
    return Exported(
        read_export(harness.runtime, runner_id),
        vault,
        frozenset(keys[key].source_id for key in paired),
    )


@pytest.mark.parametrize("is_earlier", [False, True])
def test_answers_of_lost_runs_find_them_on_another_instance(
    exported: Exported, second_instance: Harness, tmp_path: Path, is_earlier: bool
) -> None:
    files = exported.to_earlier_release() if is_earlier else dict(exported.files)

    brought = import_runner(second_instance.runtime, write_export(tmp_path, files))

    vault = open_vault(second_instance.runtime, brought.runner_id)
    expected = {vault.pairing_key("strava", number) for number in exported.strava_ids}
    assert list_keys(second_instance.runtime, brought.runner_id) == expected
    with second_instance.runtime.db.read_only() as session:
        [own_run] = session.scalars(select(Run).where(Run.source == "hand"))
        answer = session.scalars(
            select(Answer).where(Answer.run_id == own_run.id)
        ).one()
    assert own_run.source_id == retained_source_id(answer.pairing_key or "")


@pytest.mark.parametrize("is_earlier", [False, True])
def test_a_file_taken_in_where_it_came_from_adds_nothing(
    harness: Harness,
    exported: Exported,
    runner_id: int,
    tmp_path: Path,
    is_earlier: bool,
) -> None:
    before = list_keys(harness.runtime, runner_id)
    files = exported.to_earlier_release() if is_earlier else dict(exported.files)

    brought = import_runner(
        harness.runtime, write_export(tmp_path, files), runner_id=runner_id
    )

    assert brought.answers == 0
    assert list_keys(harness.runtime, runner_id) == before


def test_two_runners_of_one_file_share_no_key_with_a_third(
    exported: Exported, second_instance: Harness, tmp_path: Path
) -> None:
    """A file that claims another's runs gets keys of its own runner's secret."""
    stranger = second_instance.link_runner(second_instance.add_athlete(99))

    import_runner(
        second_instance.runtime,
        write_export(tmp_path, dict(exported.files)),
        runner_id=stranger,
    )

    vault = open_vault(second_instance.runtime, stranger)
    keys = list_keys(second_instance.runtime, stranger)
    assert vault.pairing_secret != exported.vault.pairing_secret
    assert keys
    claimed = {
        exported.vault.pairing_key("strava", number) for number in exported.strava_ids
    }
    assert keys.isdisjoint(claimed)
