"""The release check says what has grown old, on any day."""

import os
import subprocess
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from host.expiry_checks import helplines_checked_on
from tests.lab import release
from tests.lab.release import LOCKS, ReleaseNotReady, main

pytestmark = pytest.mark.processes

MADE_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def git(root: Path, *words: str) -> None:
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(  # noqa: S603
        ["git", *names, *words],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
        env={
            "GIT_COMMITTER_DATE": MADE_AT.isoformat(),
            "HOME": str(root),
            "PATH": os.environ["PATH"],
        },
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a checkout in which everything is ready."""
    git(tmp_path, "init")
    for lock in LOCKS:
        (tmp_path / lock).touch()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [1.2.3] - 2026-05-01\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message=Release")
    return tmp_path


def test_helplines_may_be_half_a_year_old(root: Path) -> None:
    checked_on = datetime.combine(helplines_checked_on(), time(12), UTC)

    release.check_helplines(root, checked_on + timedelta(days=150))
    with pytest.raises(ReleaseNotReady, match=r"compare each number in sync/"):
        release.check_helplines(root, checked_on + timedelta(days=210))


def test_locks_may_be_ninety_days_old(root: Path) -> None:
    assert (
        release.check_locks(root, MADE_AT + timedelta(days=89)) == "locks of 2026-05-01"
    )
    with pytest.raises(ReleaseNotReady, match="The locks are of 2026-05-01"):
        release.check_locks(root, MADE_AT + timedelta(days=91))


def test_the_version_has_its_entry(root: Path) -> None:
    assert release.check_changelog(root, MADE_AT) == "changelog of 1.2.3"

    (root / "CHANGELOG.md").write_text("## [Unreleased]\n")
    with pytest.raises(ReleaseNotReady, match=r"no dated heading for version 1\.2\.3"):
        release.check_changelog(root, MADE_AT)


def test_what_is_not_committed_is_not_released(root: Path) -> None:
    assert release.check_checkout(root, MADE_AT).startswith("checkout of ")

    (root / "left").touch()
    with pytest.raises(ReleaseNotReady, match="1 files differ"):
        release.check_checkout(root, MADE_AT)


def test_every_trouble_is_told_at_once(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "CHANGELOG.md").unlink()
    (root / "CHANGELOG.md").touch()

    code = main(root)

    output = capsys.readouterr().out
    assert code == 1
    assert "fix  CHANGELOG.md has no dated heading" in output
    assert "fix  1 files differ" in output
