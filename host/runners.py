"""`moodmiles runner ...`: who is here, one runner's data, and their leaving.

A host sees numbers and states; what a runner ran or said stays the runner's.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from host.configuration import effective
from host.errors import CannotStart
from sync.errors import MoodmilesError
from sync.models import Connection, Runner
from sync.portability.import_runner import bring_in
from sync.portability.pack import pack
from sync.runners import browser_sessions, disconnect
from sync.runtime import Runtime, build


def run(arguments: Namespace) -> int:
    runtime = build(effective(arguments))
    try:
        match arguments.command:
            case "runner list":
                print(*listed(runtime), sep="\n")
            case "runner export":
                export_to(runtime, arguments.runner, arguments.file)
            case "runner import":
                take_in(runtime, arguments.file, runner_id=arguments.runner)
            case "runner sign-out":
                sign_out(runtime, arguments.runner)
            case _:
                delete(runtime, arguments.runner, sure=arguments.yes)
    finally:
        runtime.db.close()
    return 0


def listed(runtime: Runtime) -> Iterator[str]:
    """Give a line for each runner: number, since when, and the state of two links."""
    yield f"{'runner':>6}  {'since':10}  {'Strava':12}  mail"
    found = select(Runner, Connection).outerjoin(Connection).order_by(Runner.id)
    with runtime.db.reading() as session:
        for runner, connection in session.execute(found):
            since = f"{runner.created_at:%Y-%m-%d}"
            strava, mail = _strava(connection), _mail(runner)
            yield f"{runner.id:>6}  {since}  {strava:12}  {mail}"


def export_to(runtime: Runtime, runner_id: int, file: Path) -> None:
    """Write everything that is kept of a runner, for the runner's own eyes."""
    _require(runtime, runner_id)
    packed = pack(runtime, runner_id)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(file, flags, 0o600), "wb") as target:
            target.write(packed)
    except OSError as error:
        raise CannotStart(f"{file} cannot be written: {error.strerror}.") from None
    print(f"Runner {runner_id} is in {file}; it is theirs to read.")


def take_in(runtime: Runtime, file: Path, *, runner_id: int | None) -> None:
    """Store what another Moodmiles has exported, and say how the runner gets in."""
    brought = bring_in(runtime, file, runner_id=runner_id)
    print(
        f"Runner {brought.runner_id}: {brought.runs} runs in the file, "
        f"{brought.answers} answers added."
    )
    if runner_id is not None:
        return
    if brought.by_strava:
        print("They sign in with Strava, and give their address again.")
    elif brought.is_mailed:
        print("A mail asks their address to confirm itself; then they sign in by mail.")
    else:
        print("The file names no Strava account and no address: nobody can sign in.")


def sign_out(runtime: Runtime, runner_id: int | None) -> None:
    """End every sign-in of a runner, or of all of them; nothing else changes."""
    if runner_id is not None:
        _require(runtime, runner_id)
    print(f"Browsers signed out: {browser_sessions.end_all(runtime, runner_id)}.")


def delete(runtime: Runtime, runner_id: int, *, sure: bool) -> None:
    """Delete a runner after asking, unless the host said so already."""
    _require(runtime, runner_id)
    if not sure and not _is_sure(runner_id):
        raise MoodmilesError("Nothing was deleted.")
    disconnect.delete_everything(runtime, runner_id)
    print(f"Runner {runner_id} and everything of theirs is deleted.")


def _require(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.reading() as session:
        if session.get(Runner, runner_id) is None:
            raise MoodmilesError(f"There is no runner {runner_id}.")


def _is_sure(runner_id: int) -> bool:
    print(f"Delete runner {runner_id} with all runs and answers? Type yes:", end=" ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def _strava(connection: Connection | None) -> str:
    if connection is None:
        return "disconnected"
    return "broken" if connection.broken_at else "connected"


def _mail(runner: Runner) -> str:
    if runner.email_bounced_at:
        return "bounced"
    return "confirmed" if runner.email_confirmed_at else "not confirmed"
