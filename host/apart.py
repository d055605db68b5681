"""Runs a function in a child process, so that what it imports goes with it."""

import os
import pickle
import traceback
from collections.abc import Callable
from typing import TypeVar

from sync.errors import MoodmilesError

Result = TypeVar("Result")


def apart(function: Callable[[], Result]) -> Result:
    """Return what `function` returns, or raise its `MoodmilesError`, from a child.

    The supervisor lives as long as the instance; the libraries that read the
    settings would cost it more memory than all the rest of it.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(function, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    if not answer:
        raise MoodmilesError("The settings could not be read; see the lines above.")
    outcome = pickle.loads(answer)  # noqa: S301 - our own child wrote it
    if isinstance(outcome, MoodmilesError):
        raise outcome
    result: Result = outcome
    return result


def _answer(function: Callable[[], object], writing: int) -> None:
    try:
        with os.fdopen(writing, "wb") as answers:
            try:
                pickle.dump(function(), answers)
            except MoodmilesError as error:
                pickle.dump(error, answers)
    except Exception:  # noqa: BLE001 - a child that returns would be a second parent
        traceback.print_exc()
    finally:
        os._exit(0)
