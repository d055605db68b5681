"""`moodmiles runner ...`: who is here, one runner's data, and their leaving.

A host sees numbers and states; what a runner ran or said stays the runner's.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import select

from host.configuration import load_effective_settings
from host.errors import StartupError
from sync.errors import MoodmilesError
from sync.models import Connection, Runner
from sync.portability.import_runner import import_runner
from sync.portability.pack import pack_export
from sync.runners import browser_sessions, disconnect
from sync.runtime import Runtime, build


def run(arguments: SimpleNamespace) -> int:
    runtime = build(load_effective_settings(arguments))
    try:
        match arguments.command:
            case "runner list":
                print(*list_runners(runtime), sep="\n")
            case "runner export":
                export_runner(runtime, arguments.runner, arguments.file)
            case "runner import":
                import_file(runtime, arguments.file, runner_id=arguments.runner)
            case "runner sign-out":
                sign_out_runner(runtime, arguments.runner)
            case _:
                delete_runner(runtime, arguments.runner, is_confirmed=arguments.yes)
    finally:
        runtime.db.close()
    return 0


def list_runners(runtime: Runtime) -> Iterator[str]:
    """Give a line for each runner: number, since when, and the state of two links."""
    yield f"{'runner':>6}  {'since':10}  {'Strava':12}  mail"
    query = select(Runner, Connection).outerjoin(Connection).order_by(Runner.id)
    with runtime.db.read_only() as session:
        for runner, connection in session.execute(query):
            since = f"{runner.created_at:%Y-%m-%d}"
            strava, mail = _strava_state(connection), _mail_state(runner)
            yield f"{runner.id:>6}  {since}  {strava:12}  {mail}"


def export_runner(runtime: Runtime, runner_id: int, file: Path) -> None:
    """Write everything that is kept of a runner, for the runner's own eyes."""
    _require_runner(runtime, runner_id)
    archive = pack_export(runtime, runner_id)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(file, flags, 0o600), "wb") as target:
            target.write(archive)
    except OSError as error:
        raise StartupError(f"{file} cannot be written: {error.strerror}.") from None
    print(f"Runner {runner_id} is in {file}; it is theirs to read.")


def import_file(runtime: Runtime, file: Path, *, runner_id: int | None) -> None:
    """Store what another Moodmiles has exported, and say how the runner gets in."""
    result = import_runner(runtime, file, runner_id=runner_id)
    print(
        f"Runner {result.runner_id}: {result.runs} runs in the file, "
        f"{result.answers} answers added."
    )
    if runner_id is not None:
        return
    if result.by_strava:
        print("They sign in with Strava, and give their address again.")
    elif result.is_mailed:
        print("A mail asks their address to confirm itself; then they sign in by mail.")
    else:
        print("The file names no Strava account and no address: nobody can sign in.")


def sign_out_runner(runtime: Runtime, runner_id: int | None) -> None:
    """End every sign-in of a runner, or of all of them; nothing else changes."""
    if runner_id is not None:
        _require_runner(runtime, runner_id)
    print(f"Browsers signed out: {browser_sessions.sign_out_all(runtime, runner_id)}.")


def delete_runner(runtime: Runtime, runner_id: int, *, is_confirmed: bool) -> None:
    """Delete a runner after asking, unless the host said so already."""
    _require_runner(runtime, runner_id)
    if not is_confirmed and not _ask_confirmation(runner_id):
        raise MoodmilesError("Nothing was deleted.")
    disconnect.delete_runner(runtime, runner_id)
    print(f"Runner {runner_id} and everything of theirs is deleted.")


def _require_runner(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.read_only() as session:
        if session.get(Runner, runner_id) is None:
            raise MoodmilesError(f"There is no runner {runner_id}.")


def _ask_confirmation(runner_id: int) -> bool:
    print(f"Delete runner {runner_id} with all runs and answers? Type yes:", end=" ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def _strava_state(connection: Connection | None) -> str:
    if connection is None:
        return "disconnected"
    return "broken" if connection.broken_at else "connected"


def _mail_state(runner: Runner) -> str:
    if runner.email_bounced_at:
        return "bounced"
    return "confirmed" if runner.email_confirmed_at else "not confirmed"
