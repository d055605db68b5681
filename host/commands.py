"""The table of commands: the name, parameters, help and module of each."""

# `typing_extensions`, which has `override`, would take a tenth of the time to start.
# mypy: disable-error-code="explicit-override"

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import click

CHECKS = (
    "configuration",
    "database",
    "keys",
    "disk",
    "redis",
    "schedule",
    "workers",
    "mail",
    "strava",
    "signatures",
    "limits",
    "clock",
    "work",
    "parts",
    "helplines",
    "certificate",
)


class CommandGroup(click.Group):
    """Commands in the order of the table; without one it is a usage error."""

    def add(
        self, name: str, module: str, description: str, *parameters: click.Parameter
    ) -> None:
        """Add a command; `module` has `run(arguments) -> int`."""
        words = " ".join(filter(None, [self.name, name]))

        def run(**values: object) -> int:
            # Imported late: `--help` and a typing error should not wait for SQLAlchemy.
            arguments = SimpleNamespace(command=words, **values)
            exit_code: int = import_module(module).run(arguments)
            return exit_code

        self.add_command(
            click.Command(name, callback=run, params=list(parameters), help=description)
        )

    def add_group(self, name: str, description: str) -> Self:
        group = type(self)(name, help=description)
        self.add_command(group)
        return group

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise click.UsageError(f"Say which command: {', '.join(self.commands)}.")
        return super().parse_args(ctx, args)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.commands)

    def get_short_help_str(self, _limit: int = 45) -> str:
        return f"{self.help}: {', '.join(self.commands)}"


_DATA_DIR = click.Option(
    ["--data-dir"],
    type=Path,
    metavar="DIR",
    help="where this instance keeps its data (MOODMILES_DATA_DIR)",
)
_HOST = click.Option(
    ["--host"], metavar="ADDRESS", help="address to listen on (MOODMILES_HOST)"
)
_PORT = click.Option(
    ["--port"],
    type=int,
    metavar="N",
    help="port to listen on, 0 for any free one (MOODMILES_PORT)",
)
_EXPORT = click.Option(
    ["--export"],
    type=Path,
    metavar="FILE",
    help="an activities.csv whose runs the simulated Strava also serves",
)
_RUNNER = click.Argument(["runner"], type=int, metavar="N", help="the runner's number")
_RUNNER_OR_ALL = click.Argument(
    ["runner"],
    type=int,
    metavar="[N]",
    required=False,
    help="the runner's number; all runners without one",
)
_TARGET_RUNNER = click.Option(
    ["--runner"],
    type=int,
    metavar="N",
    help="add what is missing to this runner, instead of making a new one",
)
_OUTPUT = click.Argument(["file"], type=Path, metavar="FILE", help="the ZIP to write")
_INPUT = click.Argument(["file"], type=Path, metavar="FILE", help="the ZIP to take in")
_YES = click.Option(
    ["--yes"], is_flag=True, help="do not ask before deleting everything"
)
_CHECKS = click.Argument(
    ["checks"],
    type=click.Choice(CHECKS),
    nargs=-1,
    metavar="[CHECK]...",
    help=f"look at these alone: {', '.join(CHECKS)}",
)

MOODMILES = CommandGroup(
    help="Your own mood against your own mileage.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(package_name="moodmiles", message="%(prog)s %(version)s")(
    MOODMILES
)
MOODMILES.add(
    "up", "host.up", "run everything on this machine", _DATA_DIR, _HOST, _PORT
)
MOODMILES.add(
    "demo",
    "host.demo",
    "the same, with a simulated runner's 18 months",
    _DATA_DIR,
    _HOST,
    _PORT,
    _EXPORT,
)
MOODMILES.add("web", "host.serve", "run the web part alone", _DATA_DIR)
MOODMILES.add("worker", "host.serve", "run one worker alone", _DATA_DIR)
MOODMILES.add("beat", "host.serve", "run the schedule alone", _DATA_DIR)

_database = MOODMILES.add_group("db", "the tables")
_database.add("upgrade", "host.database", "bring the tables up to date", _DATA_DIR)
_database.add(
    "restored",
    "host.database",
    "say that a backup was restored: new numbers, and everybody signs in again",
    _DATA_DIR,
)

_strava = MOODMILES.add_group("strava", "what Strava tells us")
_strava.add(
    "subscribe",
    "host.subscription",
    "ask Strava to tell us about new runs",
    _DATA_DIR,
)
_strava.add(
    "status",
    "host.subscription",
    "show whether Strava tells us about new runs",
    _DATA_DIR,
)
_strava.add(
    "unsubscribe", "host.subscription", "ask Strava to tell us no longer", _DATA_DIR
)
_strava.add(
    "retry",
    "host.subscription",
    "try again what was given up or could not be read",
    _DATA_DIR,
)

_runner = MOODMILES.add_group("runner", "one runner, or all")
_runner.add("list", "host.runners", "list the runners, without their data", _DATA_DIR)
_runner.add(
    "export",
    "host.runners",
    "write everything of one runner to a file",
    _DATA_DIR,
    _RUNNER,
    _OUTPUT,
)
_runner.add(
    "import",
    "host.runners",
    "take in what another Moodmiles has exported",
    _DATA_DIR,
    _INPUT,
    _TARGET_RUNNER,
)
_runner.add(
    "sign-out",
    "host.runners",
    "sign out every browser of a runner, or of all",
    _DATA_DIR,
    _RUNNER_OR_ALL,
)
_runner.add(
    "delete",
    "host.runners",
    "delete a runner and everything of theirs",
    _DATA_DIR,
    _RUNNER,
    _YES,
)

_keys = MOODMILES.add_group("keys", "the keys that seal what is stored")
_keys.add(
    "rotate",
    "host.keys",
    "re-seal secrets with the newest key",
    _DATA_DIR,
    click.Option(
        ["--vaults"],
        is_flag=True,
        help="also give each runner a new key and re-seal their answers",
    ),
)

MOODMILES.add(
    "doctor", "host.doctor", "check every part and say what to do", _DATA_DIR, _CHECKS
)
MOODMILES.add("version", "host.version", "say which version this is")
