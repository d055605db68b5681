"""What a survey asks: the questions, their allowed values, and their versions.

Each instrument is a file: ours beside this one, a host's own in `instruments/`
of the data folder.  All are checked when they are first needed and at start; a
bad file is refused with its line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sync.errors import MoodmilesError, NotConfigured
from sync.surveys.instruments.reading import Instrument, Question, read

__all__ = [
    "CURRENT",
    "OPTIONAL",
    "QUESTIONS",
    "BadAnswer",
    "Instrument",
    "Library",
    "Question",
    "checked",
    "library",
]

_OURS = Path(__file__).parent
_AFTER_ANOTHER = ("run", "focus", "checkin", "checkin-focus", "before")


class BadAnswer(MoodmilesError):
    """Something that is not one of the survey's own choices."""


@dataclass(frozen=True, slots=True)
class Library:
    """Every instrument that this host has, by its id."""

    instruments: Mapping[str, Instrument]

    def of_kind(self, kind: str) -> list[Instrument]:
        return [found for found in self.instruments.values() if found.kind == kind]

    def current(self, kind: str) -> Instrument:
        """Return the newest instrument of a kind that there is only one of."""
        return max(self.of_kind(kind), key=lambda found: _version(found.id))

    def choices_of(self, kind: str) -> dict[str, Question]:
        """Return the questions of a kind from which a runner picks one."""
        return {q.key: q for found in self.of_kind(kind) for q in found.questions}

    @property
    def questions(self) -> dict[str, Question]:
        """Return every question that may follow a run or a check-in, by its key."""
        return {
            question.key: question
            for kind in _AFTER_ANOTHER
            for found in self.of_kind(kind)
            for question in found.questions
        }


@cache
def library(data_dir: Path | None = None) -> Library:
    """Read all instruments, or raise `NotConfigured` naming a file and its line."""
    paths = sorted((data_dir / "instruments").glob("*.toml")) if data_dir else []
    return _together([*_shipped(), *((path, read(path)) for path in paths)])


@cache
def _shipped() -> tuple[tuple[Path, Instrument], ...]:
    """Read what comes with us once, whatever folder a host's own are in."""
    return tuple((path, read(path)) for path in sorted(_OURS.rglob("*.toml")))


def checked(
    values: Mapping[str, int], questions: Mapping[str, Question] | None = None
) -> dict[str, int]:
    """Return `values` if each is one of its question's choices, else `BadAnswer`."""
    known = QUESTIONS if questions is None else questions
    for key, value in values.items():
        if key not in known or value not in known[key].choices:
            raise BadAnswer("That is not one of the answers: please choose again.")
    return dict(values)


def _together(read_files: Iterable[tuple[Path, Instrument]]) -> Library:
    found: dict[str, Instrument] = {}
    meanings: dict[str, Mapping[int, str]] = {}
    for path, instrument in read_files:
        if instrument.id in found:
            raise NotConfigured(
                f"The instrument {path.name}, line 1: there is another {instrument.id}."
            )
        found[instrument.id] = instrument
        for question in instrument.questions:
            # One key is one column of answers, so it has one scale.
            if meanings.setdefault(question.key, question.choices) != question.choices:
                raise NotConfigured(
                    f"The instrument {path.name}, line 1: the question "
                    f"{question.key} exists with other choices."
                )
    return Library(found)


def _version(instrument_id: str) -> int:
    return int(instrument_id.rpartition("-")[2])


CURRENT = library().current("run").id
QUESTIONS: Mapping[str, Question] = library().questions
OPTIONAL = tuple(question for question in QUESTIONS.values() if not question.required)
