"""What a runner chose in the settings: names, defaults, allowed values and labels.

A setting is one field of `Preferences`.  A field with a `Switch` or a `Choice` has a
row on the settings page, which is built, read and checked from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
)
from typing_extensions import override

from sync.language import LANGUAGES, translatable
from sync.vocabulary import AskFrequency, DistanceUnit, WeekStart


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off, as the settings page shows it."""

    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting with one of several values, as the settings page shows it.

    `choices` maps each value that is offered to its label.  It may have fewer values
    than are allowed, and is empty where only the page knows what there is.
    """

    label: str
    choices: Mapping[Any, str] = field(default_factory=dict)
    hint: str = ""


def _check_time_of_day(text: str) -> str:
    time.fromisoformat(text)
    return text


def _check_language(code: str) -> str:
    if code and code not in LANGUAGES:
        raise ValueError("there is no such language")
    return code


# A pause whose end cannot be read lasts until the runner ends it.
UNREADABLE_PAUSE_END = datetime(2100, 1, 1, tzinfo=UTC)

TimeOfDay = Annotated[str, AfterValidator(_check_time_of_day)]


class Preferences(BaseModel):
    """What a runner chose; anything not chosen is the default.

    `slowed_at` is when we last stopped asking by ourselves: questions that were
    ignored before it are not held against a runner who wants to be asked again.

    A stored value that cannot be read is the default, or what asks least where the
    default asks more; a stored key that this version does not know is kept.  Both
    stay in `to_stored` until they are changed.
    """

    model_config = ConfigDict(frozen=True)

    ask: Annotated[
        AskFrequency,
        Choice(
            translatable("Questions by mail"),
            {
                AskFrequency.EVERY_RUN: translatable("After every run"),
                AskFrequency.EVERY_OTHER_RUN: translatable("After every other run"),
                AskFrequency.WEEKLY: translatable("Once a week"),
                AskFrequency.LONG_RUNS: translatable("After long runs only"),
                AskFrequency.NEVER: translatable("Never by mail"),
            },
        ),
    ] = AskFrequency.EVERY_RUN
    delay_min: Annotated[
        int,
        Field(ge=0, le=24 * 60),
        Choice(
            translatable("How soon"),
            {
                0: translatable("Straight away"),
                15: translatable("15 minutes after the run"),
                30: translatable("30 minutes after the run"),
                60: translatable("1 hour after the run"),
                180: translatable("3 hours after the run"),
            },
        ),
    ] = 30
    quiet_from: TimeOfDay = "21:30"
    quiet_until: TimeOfDay = "07:00"
    ask_manual: Annotated[
        bool, Switch(translatable("Ask after runs entered by hand too"))
    ] = False
    paused_until: AwareDatetime | None = None
    distance_in_mail: Annotated[
        bool,
        Switch(
            translatable("Name the distance in the mail"),
            translatable("Otherwise a mail holds nothing from Strava"),
        ),
    ] = False
    reminders: Annotated[
        bool,
        Switch(
            translatable("One reminder"),
            translatable("Three hours later, by day, and only while the run is fresh"),
        ),
    ] = True
    random_delay: Annotated[
        bool,
        Switch(
            translatable("Help find out how long it lasts"),
            translatable(
                "The question then comes straight away, or 1, 2, 4 or 6 hours after "
                "the run, as drawn at random, by day, no more often, and without a "
                "reminder. Where nothing can be drawn, it comes as chosen under “How "
                "soon”. You can switch it off whenever you like"
            ),
        ),
    ] = False
    checkins: Annotated[
        bool,
        Switch(
            translatable("Check-ins on random days"),
            translatable(
                "About twice a week, whether you run or not, so that running days "
                "have something fair to be compared with"
            ),
        ),
    ] = True
    stress: Annotated[bool, Switch(translatable("How stressed you feel"))] = True
    before: Annotated[
        bool,
        Switch(translatable("How you felt before setting off, as you remember it")),
    ] = True
    context: Annotated[
        bool,
        Switch(translatable("With others, where, and whether it was a race")),
    ] = True
    focus: Annotated[
        str,
        Choice(
            translatable("One question more"),
            hint=translatable(
                "Stays for eight weeks once chosen: fewer answers say nothing"
            ),
        ),
    ] = "energy"
    focus_since: AwareDatetime | None = None
    checkin_focus: Annotated[
        str,
        Choice(
            translatable("At check-ins also"),
            {
                "sleep": translatable("Last night’s sleep, before noon"),
                "confidence": translatable("Confidence"),
                "control": translatable("Being in control of the day"),
                "clarity": translatable("A clear head"),
                "": translatable("Nothing more"),
            },
        ),
    ] = "sleep"
    wellbeing: Annotated[
        bool,
        Switch(
            translatable("A longer look every four weeks"),
            translatable(
                "Five questions about the last two weeks on "
                "<a href='/wellbeing'>a page of their own</a>, never by mail"
            ),
        ),
    ] = False
    digest: Annotated[
        bool,
        Switch(
            translatable("A weekly look back"),
            translatable(
                "By mail, once your week is over: last week in one picture, with "
                "distances; nothing when you did not run"
            ),
        ),
    ] = False
    slowed_at: AwareDatetime | None = None
    units: Annotated[
        DistanceUnit,
        Choice(
            translatable("Distance"),
            {
                DistanceUnit.KM: translatable("Kilometres"),
                DistanceUnit.MI: translatable("Miles"),
            },
        ),
    ] = DistanceUnit.KM
    week_starts: Annotated[
        WeekStart,
        Choice(
            translatable("Weeks start on"),
            {
                WeekStart.MONDAY: translatable("Monday"),
                WeekStart.SUNDAY: translatable("Sunday"),
            },
            translatable("For weeks in charts and tables, and the weekly look back"),
        ),
    ] = WeekStart.MONDAY
    # Empty until it is chosen.
    language: Annotated[
        str, AfterValidator(_check_language), Choice(translatable("Language"))
    ] = ""
    # Two letters or "*" for none listed, for the numbers on the help page; empty
    # until it is chosen.
    country: Annotated[
        str,
        Field(pattern=r"^([A-Za-z]{2}|\*)?$"),
        Choice(
            translatable("Country of the numbers to talk to"),
            hint=translatable(
                "Shown first wherever there are people to talk to; guessed from your "
                "time zone until you choose"
            ),
        ),
    ] = ""
    long_run_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10_000

    _stored: dict[str, Any] | None = PrivateAttr(default=None)

    @override
    def model_post_init(self, context: dict[str, Any] | None, /) -> None:
        self._stored = context

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Read what a row of `runner` holds; never fails."""
        kept = dict(stored)
        try:
            return cls.model_validate(kept, context=kept)
        except ValidationError as error:
            unreadable = {item["loc"][0] for item in error.errors()}
            values = {key: kept[key] for key in kept.keys() - unreadable}
            values |= {name: False for name in SWITCHES_FOR_MORE if name in unreadable}
            if "ask" in unreadable:
                values |= {"ask": AskFrequency.NEVER, "checkins": False}
            if "paused_until" in unreadable:
                values["paused_until"] = UNREADABLE_PAUSE_END
            return cls.model_validate(values, context=kept)

    @classmethod
    def from_export(cls, stored: Mapping[str, Any]) -> Self:
        """Read what an export holds; raise ValueError for a value not allowed."""
        return cls.model_validate_json(
            json.dumps(stored), strict=True, context=dict(stored)
        )

    def to_stored(self) -> dict[str, Any]:
        """Return what the row of `runner` and an export hold: what was chosen."""
        if self._stored is not None:
            return dict(self._stored)
        return {
            name: _to_json(value)
            for name, value in self
            if name in self.model_fields_set
        }

    def with_changes(self, **changes: Any) -> Self:
        """Return these preferences with others in place.

        A value that is not allowed is a ValueError.
        """
        chosen = {name: getattr(self, name) for name in self.model_fields_set}
        changed = self.model_validate(chosen | changes)
        return self.from_stored(
            self.to_stored()
            | {name: _to_json(getattr(changed, name)) for name in changes}
        )

    @property
    def quiet_hours(self) -> tuple[time, time]:
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)

    @property
    def is_asking_stopped(self) -> bool:
        """Whether nothing at all is to be asked by mail."""
        return self.ask in {AskFrequency.NEVER, AskFrequency.WAITING_FOR_CHOICE}

    def is_paused_at(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def asks_no_more_than(self, former: Self) -> bool:
        """Whether these preferences only take away from what `former` let us do."""
        changed = {name for name, value in self if value != getattr(former, name)} - {
            "ask",
            "paused_until",
        }
        is_ask_less = self.ask == former.ask or self.ask in list_less(former.ask)
        is_pause_kept = former.paused_until is None or (
            self.paused_until is not None and self.paused_until >= former.paused_until
        )
        return (
            is_ask_less
            and is_pause_kept
            and changed <= set(SWITCHES_FOR_MORE)
            and not any(getattr(self, name) for name in changed)
        )

    @property
    def wants_mail(self) -> bool:
        return self.digest or not self.is_asking_stopped

    def with_mails_stopped(self) -> Self:
        """Return them all written out, with no question and no look back by mail."""
        return self._write_out(ask=AskFrequency.NEVER, digest=False)

    def with_asking_suspended(self, now: datetime) -> Self:
        """Return them all written out, with asking stopped until the runner chooses."""
        return self._write_out(ask=AskFrequency.WAITING_FOR_CHOICE, slowed_at=now)

    def _write_out(self, **changes: Any) -> Self:
        changed = self.model_copy(update=changes)
        values = {name: _to_json(value) for name, value in changed}
        unknown = {
            key: value for key, value in self.to_stored().items() if key not in values
        }
        return self.from_stored(values | unknown)


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


# Each of these, switched on, asks or says more.
SWITCHES_FOR_MORE = (
    "reminders",
    "checkins",
    "digest",
    "ask_manual",
    "distance_in_mail",
    "stress",
    "before",
    "context",
)
_LESS: Mapping[AskFrequency, tuple[AskFrequency, ...]] = {
    AskFrequency.EVERY_RUN: (
        AskFrequency.EVERY_OTHER_RUN,
        AskFrequency.WEEKLY,
        AskFrequency.LONG_RUNS,
        AskFrequency.NEVER,
    ),
    AskFrequency.EVERY_OTHER_RUN: (AskFrequency.WEEKLY, AskFrequency.NEVER),
}


def list_less(ask: AskFrequency) -> tuple[AskFrequency, ...]:
    """Return how often to ask that is less often, whatever the runs are like."""
    return () if ask is AskFrequency.NEVER else _LESS.get(ask, (AskFrequency.NEVER,))


def find_row(name: str) -> Switch | Choice | None:
    """Return how the settings page shows a preference, None if it has no row."""
    field_info = Preferences.model_fields.get(name)
    rows = field_info.metadata if field_info is not None else []
    return next((row for row in rows if isinstance(row, Switch | Choice)), None)


DEFAULT_PREFERENCES = Preferences()
PREFERENCES_WITHOUT_MAIL = Preferences(ask=AskFrequency.NEVER, checkins=False)
