"""The `moodmiles` command: reads the words, runs the command, says what failed."""

import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

from typing_extensions import override

from host.commands import COMMANDS, Command
from host.errors import WrongUse
from sync.errors import MoodmilesError

DONE, FAILED, WRONG_USE = 0, 1, 2


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; never a traceback for what was foreseen."""
    try:
        return _run(sys.argv[1:] if words is None else words)
    except WrongUse as error:
        _complain(error)
        return WRONG_USE
    except MoodmilesError as error:
        _complain(error)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def _run(words: Sequence[str]) -> int:
    parser = build_parser()
    arguments, extra = parser.parse_known_args(words)
    if extra:
        raise WrongUse(_unknown_option(extra[0], arguments))
    if arguments.version:
        arguments.module = "host.version"
    if "module" not in arguments:
        raise WrongUse(f"Say which command: {_listed(arguments)}.")
    # Imported late: `--help` and a typing error should not wait for SQLAlchemy.
    result: int = import_module(arguments.module).run(arguments)
    return result


class Parser(ArgumentParser):
    """An argument parser that answers in one sentence."""

    @override
    def error(self, message: str) -> NoReturn:
        raise WrongUse(f"{message[:1].upper()}{message[1:]} (see {self.prog} --help).")

    @override
    def _check_value(self, action: Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            near = get_close_matches(str(value), action.choices, n=1, cutoff=0)[0]
            raise WrongUse(f"Unknown command {value!r}; did you mean {near!r}?")


def build_parser() -> ArgumentParser:
    parser = Parser(
        prog="moodmiles",
        description="Your own mood against your own mileage.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say which version")
    parser.set_defaults(options=())
    groups: dict[tuple[str, ...], Any] = {(): parser.add_subparsers(metavar="COMMAND")}
    for command in COMMANDS:
        _add(groups, command)
    return parser


def _add(groups: dict[tuple[str, ...], Any], command: Command) -> None:
    *group, word = command.words
    if tuple(group) not in groups:
        doing = "; ".join(
            f"{other.words[-1]}: {other.does}"
            for other in COMMANDS
            if other.words[0] == group[0]
        )
        parser = groups[()].add_parser(group[0], help=doing, allow_abbrev=False)
        parser.set_defaults(group=group[0])
        groups[tuple(group)] = parser.add_subparsers(metavar="COMMAND")
    parser = groups[tuple(group)].add_parser(
        word, help=command.does, description=command.does, allow_abbrev=False
    )
    command.takes(parser)
    parser.set_defaults(
        module=command.module,
        command=command.name,
        options=tuple(parser._option_string_actions),  # noqa: SLF001 - no public list
    )


def _unknown_option(word: str, arguments: Namespace) -> str:
    near = get_close_matches(word.partition("=")[0], arguments.options, n=1, cutoff=0)
    hint = f"; did you mean {near[0]}?" if near else "; see moodmiles --help."
    return f"Unknown option {word}{hint}"


def _listed(arguments: Namespace) -> str:
    group = vars(arguments).get("group")
    names = [command.name for command in COMMANDS if group in {None, command.words[0]}]
    return ", ".join(names)


def _complain(error: MoodmilesError) -> None:
    print(f"moodmiles: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
