"""Instruments as files: read, checked, and refused with the line that is wrong.

What stands there in English may stand beside it in another language, under the same
version: whole, or the file is refused.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sync.errors import NotConfigured
from sync.language import DEFAULT, LANGUAGES, spoken

Place: TypeAlias = tuple[int | str, ...]
Kind: TypeAlias = Literal["run", "checkin", "before", "focus", "checkin-focus", "page"]
_ABOUT_MOOD = {"run", "checkin", "before"}
_SYNTAX_LINE = re.compile(r"\(at (?:line (\d+)|end of document)")


class QuestionTexts(BaseModel):
    """A question in another language; `choices` has the same values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=3, max_length=200)
    hint: str = Field(default="", max_length=200)
    choices: Mapping[int, str]


class Question(BaseModel):
    """One question; `choices` maps each stored value to its words, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)
    text: str = Field(min_length=3, max_length=200)
    hint: str = Field(default="", max_length=200)
    required: bool = False
    choices: Mapping[int, str] = Field(min_length=2, max_length=11)
    texts: Mapping[str, QuestionTexts] = Field(default_factory=dict)

    def spoken(self) -> "Question":
        """Return the question in the language spoken now, or else in English."""
        found = self.texts.get(spoken())
        return self if found is None else self.model_copy(update=dict(found))

    @model_validator(mode="after")
    def _words_differ(self) -> Self:
        if len(set(self.choices.values())) < len(self.choices):
            raise ValueError("two choices have the same words")
        return self


class InstrumentTexts(BaseModel):
    """What an instrument says besides its questions, in another language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    intro: str = ""
    credit: str = ""


class Instrument(BaseModel):
    """A set of questions under one version, which every answer keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*-[0-9]+$", max_length=40)
    kind: Kind
    title: str = Field(min_length=1, max_length=80)
    intro: str = ""
    credit: str = ""
    questions: tuple[Question, ...] = Field(min_length=1)
    texts: Mapping[str, InstrumentTexts] = Field(default_factory=dict)

    def spoken(self) -> "Instrument":
        """Return all of it in the language spoken now, or else in English."""
        found = self.texts.get(spoken())
        said = {} if found is None else dict(found)
        questions = tuple(question.spoken() for question in self.questions)
        return self.model_copy(update={**said, "questions": questions})

    @property
    def language(self) -> str:
        """Return which language `spoken` will be in."""
        return spoken() if spoken() in self.texts else DEFAULT

    @model_validator(mode="after")
    def _asks_for_the_mood(self) -> Self:
        first = self.questions[0]
        if self.kind in _ABOUT_MOOD and (first.key != "mood" or not first.required):
            raise ValueError("the first question must be the required mood")
        return self

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        keys = [question.key for question in self.questions]
        if len(set(keys)) < len(keys):
            raise ValueError("two questions have the same key")
        return self


def read(path: Path) -> Instrument:
    """Return the instrument in this file, or raise `NotConfigured` with its line."""
    text = path.read_text(encoding="utf-8")
    try:
        instrument = Instrument.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        line = found[1] if found and found[1] else len(text.splitlines())
        raise _refused(path, int(line), str(error).partition(" (at")[0]) from None
    except ValidationError as error:
        first = error.errors()[0]
        line = _line_of(text, first["loc"])
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise _refused(path, line, f"{where}: {what}".lstrip(": ")) from None
    for place, why in _gaps(instrument):
        where = ".".join(map(str, place))
        raise _refused(path, _line_of(text, place), f"{where}: {why}")
    return instrument


def _gaps(instrument: Instrument) -> Iterator[tuple[Place, str]]:
    """Say where a translation is not whole, or is of something else."""
    for language, said in instrument.texts.items():
        place: Place = ("texts", language)
        if language not in LANGUAGES or language == DEFAULT:
            yield place, "that is none of our other languages"
        for name in ("intro", "credit"):
            if bool(getattr(said, name)) != bool(getattr(instrument, name)):
                yield (*place, name), "it stands in one language only"
    for number, question in enumerate(instrument.questions):
        for language in sorted({*question.texts, *instrument.texts}):
            place = ("questions", number, "texts", language)
            yield from _gaps_in(question, language, place, instrument)


def _gaps_in(
    question: Question, language: str, place: Place, instrument: Instrument
) -> Iterator[tuple[Place, str]]:
    said = question.texts.get(language)
    if language not in instrument.texts:
        yield place, "the instrument itself has no texts in this language"
    elif said is None:
        yield place, f"the question {question.key} is missing"
    elif list(said.choices) != list(question.choices):
        yield (*place, "choices"), "they are not the same choices"
    elif len(set(said.choices.values())) < len(said.choices):
        yield (*place, "choices"), "two choices have the same words"
    elif bool(said.hint) != bool(question.hint):
        yield (*place, "hint"), "it stands in one language only"


def _refused(path: Path, line: int, why: str) -> NotConfigured:
    return NotConfigured(f"The instrument {path.name}, line {line}: {why}.")


def _line_of(text: str, place: Place) -> int:
    """Return the line of what a check complains about, or of what should hold it."""
    lines = text.splitlines()
    names = [part for part in place if isinstance(part, str) and part != "questions"]
    first, last = _block(lines, place)
    if names[:1] == ["texts"] and len(names) > 1:
        inside = "questions." if place[0] == "questions" else ""
        heading = f"[{inside}texts.{names[1]}]"
        where = [n for n in range(first, last) if lines[n].strip() == heading]
        first, names = (where[0], names[2:]) if where else (first, [])
    for number in range(first, last):
        if number > first and lines[number].startswith("["):
            break
        if names and re.match(rf"\s*{re.escape(names[0])}\s*=", lines[number]):
            return number + 1
    return first + 1


def _block(lines: list[str], place: Place) -> tuple[int, int]:
    """Return the first line of the question named, and where the next begins."""
    heads = [n for n, line in enumerate(lines) if line.strip() == "[[questions]]"]
    which = place[1] if place[:1] == ("questions",) and len(place) > 1 else None
    if not isinstance(which, int) or which >= len(heads):
        return 0, len(lines)
    return heads[which], [*heads, len(lines)][which + 1]
