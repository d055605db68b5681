"""Run the simulator as a process: `python -m sync.simulator --help`."""

import argparse
import os
import signal
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from sync.simulator import seed
from sync.simulator.events import EventSender
from sync.simulator.export import UnreadableCsv, read_export
from sync.simulator.serving import open_server
from sync.simulator.world import World

# Not an argument: everybody on a machine may read those of every process.
SECRET_VARIABLE = "MOODMILES_STRAVA_CLIENT_SECRET"  # noqa: S105 - a name


def main(arguments: list[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    try:
        world = load_world(options)
        server = open_server(world, options.host, options.port, quiet=options.quiet)
    except UnreadableCsv as error:
        return _fail(str(error))
    except sqlite3.Error as error:
        return _fail(f"{options.state} cannot hold the state: {error}.")
    except OSError as error:
        # Python's own sentence repeats the address; a failed look-up has no number.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        return _fail(f"{options.host}:{options.port} cannot be opened: {reason}.")
    EventSender(world).start()
    print(f"Simulated Strava at http://{options.host}:{server.port}/", flush=True)  # noqa: T201
    server.serve_forever()
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sync.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=parse_port, default=8400, help="0 takes a free one"
    )
    parser.add_argument("--state", type=Path, help="file that the world survives in")
    parser.add_argument("--export", type=Path, help="activities.csv to be Sam's runs")
    parser.add_argument("--seed", type=int, default=1, help="another world")
    parser.add_argument("--client-id", type=parse_digits, default="1")
    parser.add_argument("--callback-domain", default="localhost")
    parser.add_argument("--quiet", action="store_true", help="no line for each call")
    return parser


def parse_digits(text: str) -> str:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a number")
    return text


def parse_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


def load_world(options: argparse.Namespace) -> World:
    """Open the world of the state file, or fill a new one."""
    exported_activities = None
    if options.export:
        exported_activities = read_export(
            options.export, athlete_id=seed.SAM_ID, zone=seed.HOME_ZONE
        )
    world = World(state=options.state, seed=options.seed)
    with world.transaction():
        app = replace(
            world.app,
            client_id=options.client_id,
            client_secret=os.environ.get(SECRET_VARIABLE) or world.app.client_secret,
            callback_domain=options.callback_domain,
        )
        world.put_singleton(app)
        seed.populate_world(
            world, seed_number=options.seed, exported_activities=exported_activities
        )
    return world


def _exit(_signal: int, _frame: FrameType | None) -> NoReturn:
    # All that was answered is on disk, and all that was said was flushed: a second
    # flush, from within the first one, would be an error.
    raise SystemExit(0)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
