"""Instruments as files: read, checked, and refused with the line that is wrong."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sync.errors import NotConfigured

Kind: TypeAlias = Literal["run", "checkin", "before", "focus", "checkin-focus", "page"]
_ABOUT_MOOD = {"run", "checkin", "before"}
_SYNTAX_LINE = re.compile(r"\(at (?:line (\d+)|end of document)")


class Question(BaseModel):
    """One question; `choices` maps each stored value to its words, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)
    text: str = Field(min_length=3, max_length=200)
    hint: str = Field(default="", max_length=200)
    required: bool = False
    choices: Mapping[int, str] = Field(min_length=2, max_length=11)

    @model_validator(mode="after")
    def _words_differ(self) -> Self:
        if len(set(self.choices.values())) < len(self.choices):
            raise ValueError("two choices have the same words")
        return self


class Instrument(BaseModel):
    """A set of questions under one version, which every answer keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*-[0-9]+$", max_length=40)
    kind: Kind
    title: str = Field(min_length=1, max_length=80)
    intro: str = ""
    credit: str = ""
    questions: tuple[Question, ...] = Field(min_length=1)

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
        return Instrument.model_validate(tomllib.loads(text))
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


def _refused(path: Path, line: int, why: str) -> NotConfigured:
    return NotConfigured(f"The instrument {path.name}, line {line}: {why}.")


def _line_of(text: str, place: tuple[Any, ...]) -> int:
    """Return the line of what a check complains about, or of what should hold it."""
    lines = text.splitlines()
    start = 0
    if place[:1] == ("questions",) and len(place) > 1:
        heads = [n for n, line in enumerate(lines) if line.strip() == "[[questions]]"]
        start = heads[place[1]] if place[1] < len(heads) else 0
    names = [part for part in place if isinstance(part, str) and part != "questions"]
    for number, line in enumerate(lines[start:], start + 1):
        if names and re.match(rf"\s*{re.escape(names[0])}\s*=", line):
            return number
        if number > start + 1 and line.strip() == "[[questions]]" and start:
            break
    return start + 1
