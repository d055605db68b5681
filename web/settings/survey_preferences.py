"""How a runner wants to be asked, shown signed in or behind a mail's link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.language import gettext
from sync.preferences import WAITING, Preferences
from sync.runners import preferences as runner_preferences
from sync.surveys.instruments import library
from web.help import local_support
from web.runtime import runtime
from web.settings import forms


@dataclass(frozen=True, slots=True)
class Asking:
    """The part of the settings that a mail may lead to; `ask` is preselected."""

    preferences: Preferences
    ask: str
    is_offered: bool
    is_waiting: bool
    paused_until: datetime | None
    focuses: Mapping[str, str]
    focus_until: datetime | None


def asking(preferences: Preferences, *, offered: str) -> Asking:
    now = runtime().now()
    is_offered = offered in forms.ASK and offered != preferences.ask
    paused = preferences.paused_until if preferences.paused_at(now) else None
    return Asking(
        preferences=preferences,
        ask=offered if is_offered else preferences.ask,
        is_offered=is_offered,
        is_waiting=preferences.ask == WAITING,
        paused_until=datetime.fromisoformat(paused) if paused else None,
        focuses=focuses(),
        focus_until=runner_preferences.focus_fixed_until(preferences, now=now),
    )


def focuses() -> dict[str, str]:
    """Return the extra questions to choose from, with none as the last choice."""
    offered = library(runtime().settings.data_dir).choices_of("focus")
    return {key: question.spoken().text for key, question in offered.items()} | {
        "": gettext("None")
    }


def save(runner_id: int, form: Mapping[str, str], *, everything: bool) -> None:
    """Save this form; raises `NotAChoice` or `TooSoon`."""
    changes = forms.asking_in(form, focuses=focuses(), now=runtime().now())
    if everything:
        changes |= forms.display_in(form, countries=local_support.choices())
    runner_preferences.save(runtime(), runner_id, changes)
