"""`moodmiles runner ...`: list, export, import, sign out and delete runners.

A host sees numbers and states, and none of a runner's runs and answers.
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
    """Yield a line for each runner: number, first day, states of Strava and mail."""
    yield f"{'runner':>6}  {'since':10}  {'Strava':12}  mail"
    query = select(Runner, Connection).outerjoin(Connection).order_by(Runner.id)
    with runtime.db.read_only() as session:
        for runner, connection in session.execute(query):
            since = f"{runner.created_at:%Y-%m-%d}"
            strava = describe_connection(connection)
            yield f"{runner.id:>6}  {since}  {strava:12}  {describe_address(runner)}"


def export_runner(runtime: Runtime, runner_id: int, file: Path) -> None:
    """Write a runner's export to a new file; only its owner may read it."""
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
    """Import another instance's export and print how the runner can sign in."""
    result = import_runner(runtime, file, runner_id=runner_id)
    print(
        f"Runner {result.runner_id}: {result.runs} runs in the file, "
        f"{result.answers} answers added."
    )
    if runner_id is not None:
        return
    if result.by_strava:
        print("They sign in with Strava, agree anew, and give their address again.")
    elif result.is_mailed:
        print("A mail asks their address to confirm itself; then they sign in by mail.")
    else:
        print("The file names no Strava account and no address: nobody can sign in.")


def sign_out_runner(runtime: Runtime, runner_id: int | None) -> None:
    """End every session of a runner, or of all runners."""
    if runner_id is not None:
        _require_runner(runtime, runner_id)
    print(f"Browsers signed out: {browser_sessions.sign_out_all(runtime, runner_id)}.")


def delete_runner(runtime: Runtime, runner_id: int, *, is_confirmed: bool) -> None:
    """Delete a runner; ask for confirmation first unless `is_confirmed`."""
    _require_runner(runtime, runner_id)
    if not is_confirmed:
        question = f"Delete runner {runner_id} with all runs and answers? Type yes:"
        print(question, end=" ", flush=True)
        if sys.stdin.readline().strip().lower() != "yes":
            raise MoodmilesError("Nothing was deleted.")
    disconnect.delete_runner(runtime, runner_id)
    print(f"Runner {runner_id} and everything of theirs is deleted.")


def _require_runner(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.read_only() as session:
        if session.get(Runner, runner_id) is None:
            raise MoodmilesError(f"There is no runner {runner_id}.")


def describe_connection(connection: Connection | None) -> str:
    if connection is None:
        return "disconnected"
    return "broken" if connection.broken_at else "connected"


def describe_address(runner: Runner) -> str:
    if runner.email_bounced_at:
        return "bounced"
    return "confirmed" if runner.email_confirmed_at else "not confirmed"
