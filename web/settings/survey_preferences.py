"""How a runner wants to be asked, shown signed in or behind a mail's link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.language import gettext
from sync.preferences import WAITING_FOR_CHOICE, Preferences
from sync.runners import preferences as runner_preferences
from sync.surveys.instruments import load_library
from sync.vocabulary import InstrumentKind
from web.help import local_support
from web.runtime import runtime
from web.settings import forms


@dataclass(frozen=True, slots=True)
class SurveySettings:
    """The part of the settings that a mail may lead to; `ask` is preselected."""

    preferences: Preferences
    frequency: str
    is_offered: bool
    is_waiting: bool
    paused_until: datetime | None
    focuses: Mapping[str, str]
    focus_until: datetime | None


def build_survey_settings(
    preferences: Preferences, *, suggested: str
) -> SurveySettings:
    now = runtime().now()
    is_offered = suggested in forms.ASK and suggested != preferences.ask
    paused_until = preferences.paused_until if preferences.is_paused_at(now) else None
    return SurveySettings(
        preferences=preferences,
        frequency=suggested if is_offered else preferences.ask,
        is_offered=is_offered,
        is_waiting=preferences.ask == WAITING_FOR_CHOICE,
        paused_until=datetime.fromisoformat(paused_until) if paused_until else None,
        focuses=list_focuses(),
        focus_until=runner_preferences.get_focus_lock_end(preferences, now=now),
    )


def list_focuses() -> dict[str, str]:
    """Return the extra questions to choose from, with none as the last choice."""
    questions = load_library(runtime().settings.data_dir).get_choices(
        InstrumentKind.FOCUS
    )
    return {key: question.localize().text for key, question in questions.items()} | {
        "": gettext("None")
    }


def save_survey_settings(
    runner_id: int, form: Mapping[str, str], *, include_display: bool
) -> None:
    """Save this form; raises `NotAChoice` or `TooSoon`."""
    changes = forms.parse_survey_settings(
        form, focuses=list_focuses(), now=runtime().now()
    )
    if include_display:
        changes |= forms.parse_display_settings(
            form, countries=local_support.list_country_choices()
        )
    runner_preferences.save_preferences(runtime(), runner_id, changes)
