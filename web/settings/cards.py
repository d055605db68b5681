"""The cards of the settings pages, and the rows of each in their order.

A row is a preference with a `Switch` or a `Choice`, drawn by itself.  One with a
template of its own in `settings/rows/` is drawn by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.preferences import Choice, Preferences, Switch, find_row

Card = tuple[str, ...]

WHEN_TO_ASK: Card = (
    "ask",
    "delay_min",
    "random_delay",
    "quiet_hours",
    "pause",
    "reminders",
    "checkins",
    "digest",
    "ask_manual",
    "distance_in_mail",
)
WHAT_TO_ASK: Card = ("before", "stress", "context", "focus", "checkin_focus")
WHERE_AND_HOW: Card = ("units", "language", "zone", "week_starts", "country")
IF_YOU_LIKE: Card = ("wellbeing",)

_WITH_OWN_TEMPLATE = {"quiet_hours", "pause", "focus", "language", "zone"}


@dataclass(frozen=True, slots=True)
class CardRow:
    """One row of a card; `template` draws it, or else its `setting`.

    `choices` maps the text of each value to its label; `value` is the one chosen.
    """

    name: str
    template: str | None
    setting: Switch | Choice | None
    choices: Mapping[str, str]
    value: object

    @property
    def is_switch(self) -> bool:
        return isinstance(self.setting, Switch)


def build_rows(
    card: Card,
    preferences: Preferences,
    page_choices: Mapping[str, Mapping[str, str]],
) -> list[CardRow]:
    """Return the rows of a card.

    `page_choices` are the choices by preference that only the page knows.
    """
    rows = []
    for name in card:
        setting = find_row(name)
        has_template = name in _WITH_OWN_TEMPLATE
        rows.append(
            CardRow(
                name=name,
                template=f"settings/rows/{name}.html" if has_template else None,
                setting=setting,
                choices=list_choices(name, setting, page_choices),
                value=getattr(preferences, name, None),
            )
        )
    return rows


def list_choices(
    name: str,
    setting: Switch | Choice | None,
    page_choices: Mapping[str, Mapping[str, str]],
) -> Mapping[str, str]:
    """Return what a row offers, by the text that its form sends."""
    if not isinstance(setting, Choice):
        return {}
    if name in page_choices:
        return page_choices[name]
    return {str(value): label for value, label in setting.choices.items()}
