"""The `moodmiles` command: runs a command and prints its error in one line."""

import re
import sys
from collections.abc import Sequence

import click

from host.commands import MOODMILES
from host.errors import UsageError, describe_unforeseen, to_one_line
from sync.errors import MoodmilesError

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line."""
    try:
        exit_code: int = MOODMILES.main(argv, "moodmiles", standalone_mode=False)
    except click.UsageError as error:
        print(f"moodmiles: {_format_usage_error(error)}", file=sys.stderr)
        return EXIT_USAGE
    except MoodmilesError as error:
        print(f"moodmiles: {to_one_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except (KeyboardInterrupt, click.Abort):
        return EXIT_FAILED
    # Nobody who types a command can do anything with a traceback.
    except Exception as error:  # noqa: BLE001
        print(f"moodmiles: {describe_unforeseen(error)}", file=sys.stderr)
        return EXIT_FAILED
    return exit_code


def _format_usage_error(error: click.UsageError) -> str:
    """Return click's message as one sentence, with a hint of what to do next."""
    message = error.format_message()
    if "Did you mean" in message:
        return re.sub(r"\.( \(?)Did you mean", r";\1did you mean", message)
    if error.ctx is None:
        return message
    return f"{message.rstrip('.')} (see {error.ctx.command_path} --help)."


if __name__ == "__main__":
    sys.exit(main())
