"""What a mail's link may take away: how often, until when, and which questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.preferences import (
    SWITCHES_FOR_MORE,
    Choice,
    Preferences,
    find_row,
    list_less,
)
from sync.runners import preferences as runner_preferences
from sync.vocabulary import AskFrequency
from web.runtime import runtime
from web.settings import forms
from web.settings.cards import CardRow, build_rows


@dataclass(frozen=True, slots=True)
class LessSettings:
    """The form behind a mail's link.

    `frequencies` maps how often to ask to its label, the present one first; `chosen`
    is selected.  `pauses` are those that are longer than the present one.
    """

    frequencies: Mapping[str, str]
    chosen: str
    is_offered: bool
    is_waiting: bool
    paused_until: datetime | None
    pauses: Mapping[str, str]
    switches: Sequence[CardRow]


def build_less_settings(
    preferences: Preferences, *, suggested: str = ""
) -> LessSettings:
    now = runtime().now()
    is_paused = preferences.is_paused_at(now)
    ask, ask_row = preferences.ask, find_row("ask")
    labels = ask_row.choices if isinstance(ask_row, Choice) else {}
    frequencies = {
        str(frequency): labels[frequency]
        for frequency in (ask, *list_less(ask))
        if frequency is not AskFrequency.WAITING_FOR_CHOICE
    }
    is_offered = suggested in frequencies and suggested != ask
    return LessSettings(
        frequencies=frequencies,
        chosen=suggested if is_offered else str(ask),
        is_offered=is_offered,
        is_waiting=ask is AskFrequency.WAITING_FOR_CHOICE,
        paused_until=preferences.paused_until if is_paused else None,
        pauses={
            days: label
            for days, label in forms.PAUSES.items()
            if days
            and (
                not is_paused
                or preferences.paused_until is None
                or now + forms.pause_length(days) > preferences.paused_until
            )
        },
        switches=build_rows(_list_switches(preferences), preferences, {}),
    )


def save_less_settings(runner_id: int, form: Mapping[str, str]) -> None:
    """Save this form; raises `InvalidChoice` or `AsksMore`."""
    preferences = runner_preferences.load_preferences(runtime(), runner_id)
    card = ("ask", "pause", *_list_switches(preferences))
    choices = build_less_settings(preferences).frequencies
    changes = forms.parse_settings(
        {"pause": forms.KEEP_PAUSE, **form},
        [card],
        page_choices={"ask": choices},
        now=runtime().now(),
    )
    runner_preferences.reduce_preferences(runtime(), runner_id, changes)


def _list_switches(preferences: Preferences) -> tuple[str, ...]:
    """Return what is on and could be off."""
    return tuple(name for name in SWITCHES_FOR_MORE if getattr(preferences, name))
