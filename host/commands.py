"""The table of commands: what each is called, does, takes, and where it lives."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `module` has `run(arguments) -> int` and is imported last."""

    words: tuple[str, ...]
    module: str
    description: str
    add_arguments: Callable[[ArgumentParser], None]

    @property
    def name(self) -> str:
        return " ".join(self.words)


def _add_data_dir(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="where this instance keeps its data (MOODMILES_DATA_DIR)",
    )


def _add_nothing(_parser: ArgumentParser) -> None:
    """Take no option and no argument."""


def _add_instance_options(parser: ArgumentParser) -> None:
    _add_data_dir(parser)
    parser.add_argument(
        "--host", metavar="ADDRESS", help="address to listen on (MOODMILES_HOST)"
    )
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help="port to listen on, 0 for any free one (MOODMILES_PORT)",
    )


def _add_demo_options(parser: ArgumentParser) -> None:
    _add_instance_options(parser)
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="an activities.csv whose runs the simulated Strava also serves",
    )


def _add_runner(parser: ArgumentParser) -> None:
    _add_data_dir(parser)
    parser.add_argument("runner", type=int, metavar="N", help="the runner's number")


def _add_runner_export(parser: ArgumentParser) -> None:
    _add_runner(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="the ZIP to write")


def _add_runner_import(parser: ArgumentParser) -> None:
    _add_data_dir(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="the ZIP to take in")
    parser.add_argument(
        "--runner",
        type=int,
        metavar="N",
        help="add what is missing to this runner, instead of making a new one",
    )


def _add_runner_sign_out(parser: ArgumentParser) -> None:
    _add_data_dir(parser)
    parser.add_argument(
        "runner",
        type=int,
        nargs="?",
        metavar="N",
        help="the runner's number; all runners without one",
    )


def _add_runner_delete(parser: ArgumentParser) -> None:
    _add_runner(parser)
    parser.add_argument(
        "--yes", action="store_true", help="do not ask before deleting everything"
    )


CHECKS = (
    "configuration",
    "database",
    "keys",
    "redis",
    "mail",
    "strava",
    "limits",
    "clock",
    "work",
    "helplines",
    "certificate",
)


def _add_doctor_checks(parser: ArgumentParser) -> None:
    _add_data_dir(parser)
    parser.add_argument(
        "checks",
        nargs="*",
        metavar="CHECK",
        help=f"look at these alone: {', '.join(CHECKS)}",
    )


COMMANDS = (
    Command(
        ("up",), "host.up", "run everything on this machine", _add_instance_options
    ),
    Command(
        ("demo",),
        "host.demo",
        "the same, with a simulated runner's 18 months",
        _add_demo_options,
    ),
    Command(("web",), "host.serve", "run the web part alone", _add_data_dir),
    Command(("worker",), "host.serve", "run one worker alone", _add_data_dir),
    Command(("beat",), "host.serve", "run the schedule alone", _add_data_dir),
    Command(
        ("db", "upgrade"), "host.database", "bring the tables up to date", _add_data_dir
    ),
    Command(
        ("strava", "subscribe"),
        "host.subscription",
        "ask Strava to tell us about new runs",
        _add_data_dir,
    ),
    Command(
        ("strava", "status"),
        "host.subscription",
        "show whether Strava tells us about new runs",
        _add_data_dir,
    ),
    Command(
        ("strava", "unsubscribe"),
        "host.subscription",
        "ask Strava to tell us no longer",
        _add_data_dir,
    ),
    Command(
        ("strava", "retry"),
        "host.subscription",
        "try again what was given up or could not be read",
        _add_data_dir,
    ),
    Command(
        ("runner", "list"),
        "host.runners",
        "list the runners, without their data",
        _add_data_dir,
    ),
    Command(
        ("runner", "export"),
        "host.runners",
        "write everything of one runner to a file",
        _add_runner_export,
    ),
    Command(
        ("runner", "import"),
        "host.runners",
        "take in what another Moodmiles has exported",
        _add_runner_import,
    ),
    Command(
        ("runner", "sign-out"),
        "host.runners",
        "sign out every browser of a runner, or of all",
        _add_runner_sign_out,
    ),
    Command(
        ("runner", "delete"),
        "host.runners",
        "delete a runner and everything of theirs",
        _add_runner_delete,
    ),
    Command(
        ("keys", "rotate"),
        "host.keys",
        "re-seal secrets with the newest key",
        _add_data_dir,
    ),
    Command(
        ("doctor",),
        "host.doctor",
        "check every part and say what to do",
        _add_doctor_checks,
    ),
    Command(("version",), "host.version", "say which version this is", _add_nothing),
)
