"""The names of all commands, as people type them behind `moodmiles`."""

from collections.abc import Iterator

import click

from host.commands import MOODMILES


def list_command_names(group: click.Group = MOODMILES) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from (f"{name} {inner}" for inner in list_command_names(command))
        else:
            yield name
