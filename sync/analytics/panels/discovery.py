"""Every panel: each file of this package that lists some is found by itself."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from sync.analytics import panels
from sync.analytics.panels.definition import Comparison, History, PanelDefinition


@cache
def list_panels() -> tuple[PanelDefinition, ...]:
    """Return all panels in the order of pages: those fixed in advance first.

    Raises `ValueError` if two have the same name.
    """
    names = sorted(module.name for module in iter_modules(panels.__path__))
    definitions = [
        definition
        for name in names
        for definition in getattr(
            import_module(f"{panels.__name__}.{name}"), "PANELS", ()
        )
    ]
    if len({definition.name for definition in definitions}) < len(definitions):
        raise ValueError("two panels have the same name.")
    return tuple(
        sorted(
            definitions,
            key=lambda definition: (not definition.is_fixed, definition.position),
        )
    )


@dataclass(frozen=True, slots=True)
class ComparedPanel:
    """One panel with the values that it compares of one runner."""

    definition: PanelDefinition
    comparison: Comparison

    @property
    def name(self) -> str:
        return self.definition.name


def compare_all(history: History) -> tuple[ComparedPanel, ...]:
    """Return what each panel compares of one history, in the order of pages."""
    compared = (
        (definition, definition.compare(history)) for definition in list_panels()
    )
    return tuple(
        ComparedPanel(definition, comparison)
        for definition, comparison in compared
        if comparison is not None
    )


list_panels()  # their files are loaded before a server forks its processes
