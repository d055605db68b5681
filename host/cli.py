"""The `moodmiles` command: reads the words, runs the command, says what failed."""

import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

from typing_extensions import override

from host.commands import COMMANDS, Command
from host.errors import UsageError
from sync.errors import MoodmilesError

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; never a traceback for what was foreseen."""
    try:
        return _run_command(sys.argv[1:] if argv is None else argv)
    except UsageError as error:
        _print_error(error)
        return EXIT_USAGE
    except MoodmilesError as error:
        _print_error(error)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED


def _run_command(argv: Sequence[str]) -> int:
    parser = build_parser()
    arguments, extra = parser.parse_known_args(argv)
    if extra:
        raise UsageError(_describe_unknown_option(extra[0], arguments))
    if arguments.version:
        arguments.module = "host.version"
    if "module" not in arguments:
        raise UsageError(f"Say which command: {_list_command_names(arguments)}.")
    # Imported late: `--help` and a typing error should not wait for SQLAlchemy.
    result: int = import_module(arguments.module).run(arguments)
    return result


class CommandParser(ArgumentParser):
    """An argument parser that answers in one sentence."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"{message[:1].upper()}{message[1:]} (see {self.prog} --help)."
        )

    @override
    def _check_value(self, action: Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            suggestion = get_close_matches(str(value), action.choices, n=1, cutoff=0)[0]
            raise UsageError(f"Unknown command {value!r}; did you mean {suggestion!r}?")


def build_parser() -> ArgumentParser:
    parser = CommandParser(
        prog="moodmiles",
        description="Your own mood against your own mileage.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say which version")
    parser.set_defaults(options=())
    groups: dict[tuple[str, ...], Any] = {(): parser.add_subparsers(metavar="COMMAND")}
    for command in COMMANDS:
        _add_command(groups, command)
    return parser


def _add_command(groups: dict[tuple[str, ...], Any], command: Command) -> None:
    *group, name = command.words
    if tuple(group) not in groups:
        group_help = "; ".join(
            f"{other.words[-1]}: {other.description}"
            for other in COMMANDS
            if other.words[0] == group[0]
        )
        parser = groups[()].add_parser(group[0], help=group_help, allow_abbrev=False)
        parser.set_defaults(group=group[0])
        groups[tuple(group)] = parser.add_subparsers(metavar="COMMAND")
    parser = groups[tuple(group)].add_parser(
        name,
        help=command.description,
        description=command.description,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    parser.set_defaults(
        module=command.module,
        command=command.name,
        options=tuple(parser._option_string_actions),  # noqa: SLF001 - no public list
    )


def _describe_unknown_option(option: str, arguments: Namespace) -> str:
    suggestions = get_close_matches(
        option.partition("=")[0], arguments.options, n=1, cutoff=0
    )
    hint = (
        f"; did you mean {suggestions[0]}?"
        if suggestions
        else "; see moodmiles --help."
    )
    return f"Unknown option {option}{hint}"


def _list_command_names(arguments: Namespace) -> str:
    group = vars(arguments).get("group")
    names = [command.name for command in COMMANDS if group in {None, command.words[0]}]
    return ", ".join(names)


def _print_error(error: MoodmilesError) -> None:
    print(f"moodmiles: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
