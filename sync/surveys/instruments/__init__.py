"""What a survey asks: the questions, their allowed values, and their versions.

Each instrument is a file: ours beside this one, a host's own in `instruments/`
of the data folder.  All are checked when they are first needed and at start; a
bad file is refused with its line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sync.bounds import RETAINED_FACTS_BYTES
from sync.crypto import OVERHEAD_BYTES, compute_sealed_size, encode_values
from sync.errors import MoodmilesError, NotConfigured
from sync.surveys.instruments.reading import Instrument, Question, read_instrument
from sync.vocabulary import InstrumentKind, SealedColumn

__all__ = [
    "CURRENT_RUN_INSTRUMENT",
    "OPTIONAL_QUESTIONS",
    "QUESTIONS",
    "AddedQuestion",
    "Instrument",
    "InstrumentLibrary",
    "InvalidAnswer",
    "Question",
    "check_values",
    "load_library",
]

_BUNDLED_DIR = Path(__file__).parent
_REPEATED_KINDS = (
    InstrumentKind.RUN,
    InstrumentKind.FOCUS,
    InstrumentKind.CHECKIN,
    InstrumentKind.CHECKIN_FOCUS,
    InstrumentKind.PRE_RUN,
)


class InvalidAnswer(MoodmilesError):
    """A value that its question does not offer."""


@dataclass(frozen=True, slots=True)
class AddedQuestion:
    """A question that a host added, and whether it is asked about runs."""

    question: Question
    is_about_run: bool


@dataclass(frozen=True, slots=True)
class InstrumentLibrary:
    """Every instrument that this host has, by its id."""

    instruments: Mapping[str, Instrument]

    def get_by_kind(self, kind: InstrumentKind) -> list[Instrument]:
        return [
            instrument
            for instrument in self.instruments.values()
            if instrument.kind == kind
        ]

    def get_current(self, kind: InstrumentKind) -> Instrument:
        """Return the newest instrument of a kind that there is only one of."""
        return max(self.get_by_kind(kind), key=lambda instrument: instrument.version)

    def get_choices(self, kind: InstrumentKind) -> dict[str, Question]:
        """Return the questions of a kind from which a runner picks one."""
        return {
            question.key: question
            for instrument in self.get_by_kind(kind)
            for question in instrument.questions
        }

    @property
    def questions(self) -> dict[str, Question]:
        """Return every question that may follow a run or a check-in, by its key."""
        return {
            question.key: question
            for kind in _REPEATED_KINDS
            for instrument in self.get_by_kind(kind)
            for question in instrument.questions
        }

    @property
    def host_questions(self) -> tuple[AddedQuestion, ...]:
        """Return the questions that only this host asks, after runs and at check-ins.

        Where both ask it, it counts as one that follows runs.
        """
        own_keys = self.questions.keys() - QUESTIONS.keys()
        after_runs = {
            question.key
            for kind in (InstrumentKind.RUN, InstrumentKind.FOCUS)
            for instrument in self.get_by_kind(kind)
            for question in instrument.questions
        }
        return tuple(
            AddedQuestion(question, is_about_run=key in after_runs)
            for key, question in self.questions.items()
            if key in own_keys
        )

    @property
    def known_keys(self) -> frozenset[str]:
        """Return the keys that an answer can have here."""
        pages = self.get_by_kind(InstrumentKind.PAGE)
        page_keys = (question.key for page in pages for question in page.questions)
        return frozenset((*self.questions, *page_keys))

    @property
    def answer_bytes(self) -> int:
        """Return the length of any sealed answer: the longest decides for all.

        A host's own questions may need more than `SEALED_BYTES` has room for, and an
        answer to all must not be longer than an answer to the first alone.
        """
        answers = [
            _widen(self.questions.values()),
            *(_widen(page.questions) for page in self.get_by_kind(InstrumentKind.PAGE)),
        ]
        longest = max(len(encode_values(values)) for values in answers)
        return compute_sealed_size(
            SealedColumn.ANSWER, longest + RETAINED_FACTS_BYTES + OVERHEAD_BYTES
        )


def _widen(questions: Iterable[Question]) -> dict[str, int]:
    """Answer each question with the value that takes the most digits."""
    return {
        question.key: max(question.choices, key=lambda value: len(str(value)))
        for question in questions
    }


@cache
def load_library(data_dir: Path | None = None) -> InstrumentLibrary:
    """Read all instruments, or raise `NotConfigured` naming a file and its line."""
    paths = _list_own_files(data_dir / "instruments") if data_dir else []
    return _build_library(
        [*_load_bundled(), *((path, read_instrument(path)) for path in paths)]
    )


def _list_own_files(folder: Path) -> Sequence[Path]:
    """Return a host's own files; a folder that cannot be read is `NotConfigured`."""
    try:
        paths = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        if not folder.is_symlink() and not folder.exists():
            return ()
        reason = error.strerror
    except OSError as error:
        reason = error.strerror
    else:
        # An editor's drafts begin with a full stop.
        return [
            path
            for path in paths
            if path.suffix == ".toml" and not path.name.startswith(".")
        ]
    raise NotConfigured(
        f"The host's own questions in {folder} cannot be read ({reason}): mend the "
        "folder, or move it away."
    )


@cache
def _load_bundled() -> tuple[tuple[Path, Instrument], ...]:
    """Read what comes with us once, whatever folder a host's own are in."""
    return tuple(
        (path, read_instrument(path)) for path in sorted(_BUNDLED_DIR.rglob("*.toml"))
    )


def check_values(
    values: Mapping[str, int], questions: Mapping[str, Question] | None = None
) -> dict[str, int]:
    """Return `values`; one that its question does not offer is an `InvalidAnswer`."""
    known_questions = QUESTIONS if questions is None else questions
    for key, value in values.items():
        if key not in known_questions or value not in known_questions[key].choices:
            raise InvalidAnswer("That is not one of the answers: please choose again.")
    return dict(values)


def _build_library(loaded: Iterable[tuple[Path, Instrument]]) -> InstrumentLibrary:
    instruments: dict[str, Instrument] = {}
    choices_by_key: dict[str, Mapping[int, str]] = {}
    for path, instrument in loaded:
        if instrument.id in instruments:
            raise NotConfigured(
                f"The instrument {path.name}, line 1: there is another {instrument.id}."
            )
        instruments[instrument.id] = instrument
        for question in instrument.questions:
            # One key is one column of answers, so it has one scale.
            if (
                choices_by_key.setdefault(question.key, question.choices)
                != question.choices
            ):
                raise NotConfigured(
                    f"The instrument {path.name}, line 1: the question "
                    f"{question.key} exists with other choices."
                )
    return InstrumentLibrary(instruments)


CURRENT_RUN_INSTRUMENT = load_library().get_current(InstrumentKind.RUN).id
QUESTIONS: Mapping[str, Question] = load_library().questions
OPTIONAL_QUESTIONS = tuple(
    question for question in QUESTIONS.values() if not question.required
)
