"""Instruments as files: read, checked, and refused with the line that is wrong.

What stands there in English may stand beside it in another language, under the same
version: whole, or the file is refused.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sync.errors import NotConfigured, describe_os_error
from sync.language import DEFAULT_LANGUAGE, LANGUAGES, current_language
from sync.vocabulary import InstrumentKind

KeyPath: TypeAlias = tuple[int | str, ...]
_MOOD_KINDS = {InstrumentKind.RUN, InstrumentKind.CHECKIN, InstrumentKind.PRE_RUN}
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

    def localize(self) -> "Question":
        """Return the question in the language spoken now, or else in English."""
        translation = self.texts.get(current_language())
        return (
            self if translation is None else self.model_copy(update=dict(translation))
        )

    @model_validator(mode="after")
    def _check_distinct_labels(self) -> Self:
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
    kind: InstrumentKind
    title: str = Field(min_length=1, max_length=80)
    intro: str = ""
    credit: str = ""
    questions: tuple[Question, ...] = Field(min_length=1)
    texts: Mapping[str, InstrumentTexts] = Field(default_factory=dict)

    def localize(self) -> "Instrument":
        """Return all of it in the language spoken now, or else in English."""
        translation = self.texts.get(current_language())
        translated = {} if translation is None else dict(translation)
        questions = tuple(question.localize() for question in self.questions)
        return self.model_copy(update={**translated, "questions": questions})

    @property
    def version(self) -> int:
        return int(self.id.rpartition("-")[2])

    @property
    def language(self) -> str:
        """Return the language of the texts: the active one, or the default."""
        return (
            current_language() if current_language() in self.texts else DEFAULT_LANGUAGE
        )

    @model_validator(mode="after")
    def _check_first_question(self) -> Self:
        first_question = self.questions[0]
        if self.kind in _MOOD_KINDS and (
            first_question.key != "mood" or not first_question.required
        ):
            raise ValueError("the first question must be the required mood")
        return self

    @model_validator(mode="after")
    def _check_distinct_keys(self) -> Self:
        keys = [question.key for question in self.questions]
        if len(set(keys)) < len(keys):
            raise ValueError("two questions have the same key")
        return self


def read_instrument(path: Path) -> Instrument:
    """Return the instrument in this file, or raise `NotConfigured` with its line."""
    text = _read_text(path)
    try:
        instrument = Instrument.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line_match = _SYNTAX_LINE.search(str(error))
        line = line_match[1] if line_match and line_match[1] else len(text.splitlines())
        raise _build_error(path, int(line), str(error).partition(" (at")[0]) from None
    except RecursionError:
        raise _build_error(path, 1, "it is nested too deeply") from None
    except ValidationError as error:
        first_error = error.errors()[0]
        line = _find_line(text, first_error["loc"])
        dotted_path = ".".join(str(part) for part in first_error["loc"])
        problem = first_error["msg"].removeprefix("Value error, ")
        raise _build_error(
            path, line, f"{dotted_path}: {problem}".lstrip(": ")
        ) from None
    for key_path, gap in _find_translation_gaps(instrument):
        dotted_path = ".".join(map(str, key_path))
        raise _build_error(path, _find_line(text, key_path), f"{dotted_path}: {gap}")
    return instrument


def _read_text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise _build_error(path, 1, "it is no plain file")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = describe_os_error(error)
        raise _build_error(path, 1, f"it cannot be read ({reason})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _build_error(path, line, "that is no text in UTF-8") from None


def _find_translation_gaps(instrument: Instrument) -> Iterator[tuple[KeyPath, str]]:
    """Say where a translation is not whole, or is of something else."""
    for language, translation in instrument.texts.items():
        key_path: KeyPath = ("texts", language)
        if language not in LANGUAGES or language == DEFAULT_LANGUAGE:
            yield key_path, "that is none of our other languages"
        for field_name in ("intro", "credit"):
            if bool(getattr(translation, field_name)) != bool(
                getattr(instrument, field_name)
            ):
                yield (*key_path, field_name), "it stands in one language only"
    for index, question in enumerate(instrument.questions):
        for language in sorted({*question.texts, *instrument.texts}):
            key_path = ("questions", index, "texts", language)
            yield from _find_question_gaps(question, language, key_path, instrument)


def _find_question_gaps(
    question: Question, language: str, key_path: KeyPath, instrument: Instrument
) -> Iterator[tuple[KeyPath, str]]:
    translation = question.texts.get(language)
    if language not in instrument.texts:
        yield key_path, "the instrument itself has no texts in this language"
    elif translation is None:
        yield key_path, f"the question {question.key} is missing"
    elif list(translation.choices) != list(question.choices):
        yield (*key_path, "choices"), "they are not the same choices"
    elif len(set(translation.choices.values())) < len(translation.choices):
        yield (*key_path, "choices"), "two choices have the same words"
    elif bool(translation.hint) != bool(question.hint):
        yield (*key_path, "hint"), "it stands in one language only"


def _build_error(path: Path, line: int, problem: str) -> NotConfigured:
    return NotConfigured(f"The instrument {path.name}, line {line}: {problem}.")


def _find_line(text: str, key_path: KeyPath) -> int:
    """Return the line of what a check complains about, or of what should hold it."""
    lines = text.splitlines()
    names = [part for part in key_path if isinstance(part, str) and part != "questions"]
    first, last = _find_block(lines, key_path)
    if names[:1] == ["texts"] and len(names) > 1:
        prefix = "questions." if key_path[0] == "questions" else ""
        heading = f"[{prefix}texts.{names[1]}]"
        heading_indices = [
            index for index in range(first, last) if lines[index].strip() == heading
        ]
        first, names = (
            (heading_indices[0], names[2:]) if heading_indices else (first, [])
        )
    for line_index in range(first, last):
        if line_index > first and lines[line_index].startswith("["):
            break
        if names and re.match(rf"\s*{re.escape(names[0])}\s*=", lines[line_index]):
            return line_index + 1
    return first + 1


def _find_block(lines: list[str], key_path: KeyPath) -> tuple[int, int]:
    """Return the first line of the question named, and where the next begins."""
    heading_indices = [
        index for index, line in enumerate(lines) if line.strip() == "[[questions]]"
    ]
    question_index = (
        key_path[1] if key_path[:1] == ("questions",) and len(key_path) > 1 else None
    )
    if not isinstance(question_index, int) or question_index >= len(heading_indices):
        return 0, len(lines)
    return heading_indices[question_index], [*heading_indices, len(lines)][
        question_index + 1
    ]
