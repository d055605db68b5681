"""How a runner wants to be asked, shown signed in or behind a mail's link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.language import gettext
from sync.preferences import Preferences
from sync.runners import preferences as runner_preferences
from sync.surveys.instruments import load_library
from sync.vocabulary import AskFrequency, InstrumentKind
from web.runtime import runtime
from web.settings import forms
from web.settings.cards import (
    WHAT_TO_ASK,
    WHEN_TO_ASK,
    Card,
    CardRow,
    build_rows,
)

_OFFERED = set(AskFrequency) - {AskFrequency.WAITING_FOR_CHOICE}


@dataclass(frozen=True, slots=True)
class SurveySettings:
    """The part of the settings that a mail may lead to.

    `is_offered`: the mail's link chose how often to ask, which is not saved yet.
    """

    preferences: Preferences
    when_to_ask: Sequence[CardRow]
    what_to_ask: Sequence[CardRow]
    is_offered: bool
    is_waiting: bool
    paused_until: datetime | None
    focus_until: datetime | None


def build_survey_settings(
    preferences: Preferences, *, suggested: str
) -> SurveySettings:
    now = runtime().now()
    is_paused = preferences.is_paused_at(now)
    is_offered = suggested in _OFFERED and suggested != preferences.ask
    shown = preferences.with_changes(ask=suggested) if is_offered else preferences
    page_choices = {"focus": list_focuses()}
    return SurveySettings(
        preferences=shown,
        when_to_ask=build_rows(WHEN_TO_ASK, shown, page_choices),
        what_to_ask=build_rows(WHAT_TO_ASK, shown, page_choices),
        is_offered=is_offered,
        is_waiting=preferences.ask is AskFrequency.WAITING_FOR_CHOICE,
        paused_until=preferences.paused_until if is_paused else None,
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
    runner_id: int,
    form: Mapping[str, str],
    *,
    more_cards: Sequence[Card] = (),
    page_choices: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Save this form, of the survey cards and perhaps more.

    Raises `InvalidChoice` or `FocusLocked`.
    """
    changes = forms.parse_settings(
        form,
        (WHEN_TO_ASK, WHAT_TO_ASK, *more_cards),
        page_choices={"focus": list_focuses(), **(page_choices or {})},
        now=runtime().now(),
    )
    runner_preferences.save_preferences(runtime(), runner_id, changes)
