"""What a runner chose survives the table, and never breaks what reads it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update

from sync.models import Runner
from sync.preferences import SWITCHES_FOR_MORE, Choice, Preferences, Switch, find_row
from sync.vocabulary import AskFrequency, DistanceUnit
from tests.support.harness import Harness
from web.settings.cards import IF_YOU_LIKE, WHAT_TO_ASK, WHEN_TO_ASK, WHERE_AND_HOW

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHOSEN = {"language": "de", "units": "mi", "paused_until": "2026-06-01T00:00:00Z"}


def test_what_was_chosen_is_stored_again_as_it_was() -> None:
    preferences = Preferences.from_stored(CHOSEN)

    assert list(preferences.to_stored().items()) == list(CHOSEN.items())
    assert preferences.units is DistanceUnit.MI
    assert preferences.paused_until == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "unreadable",
    [
        {"units": "furlongs"},
        {"delay_min": [30]},
        {"quiet_from": "25:99"},
        {"language": "xx"},
    ],
)
def test_a_value_that_cannot_be_read_is_the_default(unreadable: dict[str, Any]) -> None:
    preferences = Preferences.from_stored({"ask": "weekly"} | unreadable)

    (name,) = unreadable
    assert getattr(preferences, name) == getattr(Preferences(), name)
    assert preferences.ask is AskFrequency.WEEKLY


@pytest.mark.parametrize("ask", ["sometimes", None, 7, ["every run"], {}])
def test_whom_to_ask_how_often_is_not_known_is_not_asked_by_mail(ask: object) -> None:
    preferences = Preferences.from_stored({"ask": ask, "checkins": True, "units": "mi"})

    assert preferences.is_asking_stopped
    assert not preferences.wants_mail
    assert not preferences.checkins
    assert preferences.units is DistanceUnit.MI
    chosen = preferences.with_changes(ask="weekly")
    assert (chosen.ask, chosen.checkins) == (AskFrequency.WEEKLY, True)


@pytest.mark.parametrize("until", ["2026-06-01T00:00:00", "soon", ["2026"], True])
def test_a_pause_without_a_readable_end_lasts_until_it_is_ended(until: object) -> None:
    preferences = Preferences.from_stored({"paused_until": until})

    assert preferences.is_paused_at(NOW)
    assert not preferences.with_changes(paused_until=None).is_paused_at(NOW)


@pytest.mark.parametrize("name", SWITCHES_FOR_MORE)
def test_a_switch_that_cannot_be_read_is_off(name: str) -> None:
    assert getattr(Preferences.from_stored({name: "sauna"}), name) is False


def test_keys_of_another_version_stay_through_every_change() -> None:
    preferences = Preferences.from_stored({"colour": "red"} | CHOSEN)

    changed = preferences.with_changes(units="km")
    stopped = preferences.with_mails_stopped()

    assert changed.to_stored() == {"colour": "red"} | CHOSEN | {"units": "km"}
    assert stopped.to_stored()["colour"] == "red"
    assert stopped.is_asking_stopped


def test_stopping_writes_all_settings_out() -> None:
    stored = Preferences(units="mi").with_asking_suspended(NOW).to_stored()

    assert list(stored) == list(Preferences.model_fields)
    assert (stored["ask"], stored["slowed_at"]) == ("waiting", NOW.isoformat())


@pytest.mark.parametrize(
    "changes", [{"ask": "always"}, {"delay_min": 24 * 60 + 1}, {"slowed_at": "now"}]
)
def test_a_change_to_what_is_not_allowed_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Preferences().with_changes(**changes)


def test_a_change_of_what_is_no_preference_is_refused() -> None:
    with pytest.raises(AttributeError):
        Preferences().with_changes(colour="red")


@pytest.mark.parametrize(
    "stored",
    [
        {"reminders": 1},
        {"delay_min": "30"},
        {"long_run_m": -1},
        {"country": "Germany"},
        {"units": "km", "ask": "always"},
    ],
)
def test_an_export_with_a_value_that_is_not_allowed_is_refused(
    stored: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Preferences.from_export(stored)


def test_every_choice_of_the_page_is_allowed_and_comes_back() -> None:
    for name in Preferences.model_fields:
        row = find_row(name)
        if isinstance(row, Choice):
            for value in row.choices:
                stored = Preferences().with_changes(**{name: value}).to_stored()
                assert getattr(Preferences.from_export(stored), name) == value


def test_another_country_comes_back_too() -> None:
    assert Preferences.from_export({"country": "*"}).country == "*"


def test_every_row_stands_on_one_card() -> None:
    cards = (WHEN_TO_ASK, WHAT_TO_ASK, WHERE_AND_HOW, IF_YOU_LIKE)
    shown = [name for card in cards for name in card if find_row(name)]

    rows = {
        name
        for name in Preferences.model_fields
        if isinstance(find_row(name), Switch | Choice)
    }
    assert sorted(shown) == sorted(rows)


def test_the_table_gives_preferences_whatever_it_holds(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    with harness.runtime.db.transaction() as session:
        session.execute(
            text("""UPDATE runner SET preferences = '{"units": "furlongs"}'""")
        )

    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        read = runner.preferences
        runner.preferences = read.with_changes(ask=AskFrequency.WEEKLY)

    with harness.runtime.db.read_only() as session:
        stored = session.execute(text("SELECT preferences FROM runner")).scalar_one()
        [again] = session.scalars(select(Runner.preferences))
    assert read.units is DistanceUnit.KM
    assert again.ask is AskFrequency.WEEKLY
    assert "furlongs" in str(stored)


def test_preferences_that_stay_the_same_are_not_written(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    with harness.runtime.db.transaction() as session:
        session.execute(update(Runner).values(preferences=Preferences(units="mi")))

    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        runner.preferences = Preferences.from_stored({"units": "mi"})
        is_changed = session.is_modified(runner)

    assert not is_changed
