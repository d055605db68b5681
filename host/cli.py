"""The `moodmiles` command: runs a command and prints its error in one line."""

import re
import sys
from collections.abc import Sequence

import click

from host.commands import MOODMILES
from host.errors import UsageError
from sync.errors import MoodmilesError

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a foreseen error is one line."""
    try:
        exit_code: int = MOODMILES.main(argv, "moodmiles", standalone_mode=False)
    except click.UsageError as error:
        print(f"moodmiles: {_join_hint(error.format_message())}", file=sys.stderr)
        return EXIT_USAGE
    except MoodmilesError as error:
        print(f"moodmiles: {error}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except (KeyboardInterrupt, click.Abort):
        return EXIT_FAILED
    return exit_code


def _join_hint(message: str) -> str:
    """Return click's message with its hint as a part of its sentence."""
    return re.sub(r"\.( \(?)Did you mean", r";\1did you mean", message)


if __name__ == "__main__":
    sys.exit(main())
