"""What has to be so before a tag and needs no index: `python -m tests.lab.release`.

`make release-check` asks this first, and then tries what takes longer.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from host.expiry_checks import HELPLINES_MAX_AGE, helplines_checked_on
from tests.support.paths import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
LOCKS_FOR = timedelta(days=90)

Check = Callable[[Path, datetime], str]


class ReleaseNotReady(Exception):
    """What stands between the checkout and a tag, and what to do."""


def check_helplines(_root: Path, now: datetime) -> str:
    checked_on = helplines_checked_on()
    if now.date() - checked_on > HELPLINES_MAX_AGE:
        raise ReleaseNotReady(
            f"The helplines were last checked on {checked_on}: compare each number in "
            "sync/support/support.json with its source, and date it anew."
        )
    return f"helplines checked on {checked_on}"


def check_locks(root: Path, now: datetime) -> str:
    """Go by the last commit of the older lock: a lock says no date itself."""
    made_at = min(_committed_at(root, lock) for lock in LOCKS)
    if now - made_at > LOCKS_FOR:
        raise ReleaseNotReady(
            f"The locks are of {made_at.date()}: bring them up to date (docs/"
            "releasing.md) and run all tests."
        )
    return f"locks of {made_at.date()}"


def check_changelog(root: Path, _now: datetime) -> str:
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    if not re.search(heading, (root / "CHANGELOG.md").read_text(), re.MULTILINE):
        raise ReleaseNotReady(
            f"CHANGELOG.md has no dated heading for version {version}."
        )
    return f"changelog of {version}"


def check_checkout(root: Path, _now: datetime) -> str:
    changed = _git(root, "status", "--porcelain").splitlines()
    if changed:
        raise ReleaseNotReady(f"{len(changed)} files differ from the last commit.")
    return f"checkout of {_git(root, 'rev-parse', '--short', 'HEAD')}"


CHECKS: tuple[Check, ...] = (
    check_helplines,
    check_locks,
    check_changelog,
    check_checkout,
)


def _committed_at(root: Path, file: str) -> datetime:
    commit_date = _git(root, "log", "-1", "--format=%cI", "--", file)
    if not commit_date:
        raise ReleaseNotReady(f"{file} is in no commit.")
    return datetime.fromisoformat(commit_date)


def _git(root: Path, *words: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise ReleaseNotReady(
            "Releases are made from a git checkout, with git installed."
        )
    completed = subprocess.run(  # noqa: S603
        [git, *words], cwd=root, capture_output=True, text=True, check=False
    )
    if completed.returncode:
        raise ReleaseNotReady(f"git {words[0]} failed: {completed.stderr.strip()}")
    return completed.stdout.strip()


def main(root: Path = ROOT) -> int:
    is_ready = True
    for check in CHECKS:
        try:
            print(f"ok   {check(root, datetime.now(UTC))}")
        except ReleaseNotReady as trouble:
            is_ready = False
            print(f"fix  {trouble}")
    return 0 if is_ready else 1


if __name__ == "__main__":
    sys.exit(main())
