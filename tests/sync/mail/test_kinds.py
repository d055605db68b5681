"""What each kind of mail declares, as one table."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from sync.mail.kinds import find_kinds, get_mail_spec
from sync.mail.message import MailSpec
from sync.vocabulary import MailKind
from tests.support.paths import ROOT

QUESTIONS = {MailKind.SURVEY, MailKind.SURVEY_REMINDER, MailKind.CHECKIN}
ABOUT_RUNNING = QUESTIONS | {MailKind.SLOW_DOWN_QUESTION, MailKind.DIGEST}


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        (
            lambda spec: spec.is_about_account,
            set(MailKind) - ABOUT_RUNNING - {MailKind.RECONNECT},
        ),
        (lambda spec: spec.respects_quiet_hours, ABOUT_RUNNING),
        (lambda spec: spec.may_name_contacts, ABOUT_RUNNING),
        (
            lambda spec: spec.ignores_bounce,
            {
                MailKind.SIGN_IN_LINK,
                MailKind.ADDRESS_CHANGED,
                MailKind.ADDRESS_RESTORED,
                MailKind.STRAVA_LINKED,
            },
        ),
        (lambda spec: spec.question is not None, QUESTIONS),
        (lambda spec: spec.asks_first, {MailKind.SURVEY, MailKind.CHECKIN}),
        (lambda spec: spec.is_reminder, {MailKind.SURVEY_REMINDER}),
        (
            lambda spec: spec.asks_about_run,
            {MailKind.SURVEY, MailKind.SURVEY_REMINDER},
        ),
        (lambda spec: spec.stoppable_part == "checkins", {MailKind.CHECKIN}),
        (lambda spec: spec.stoppable_part == "digest", {MailKind.DIGEST}),
        (
            lambda spec: spec.stoppable_part is None,
            set(MailKind) - {MailKind.CHECKIN, MailKind.DIGEST},
        ),
    ],
)
def test_what_the_kinds_declare(
    condition: Callable[[MailSpec], bool], kinds: set[MailKind]
) -> None:
    assert set(find_kinds(condition)) == kinds


@pytest.mark.parametrize("kind", MailKind)
def test_each_kind_is_declared_by_the_module_of_its_name(kind: MailKind) -> None:
    spec = get_mail_spec(kind)

    assert spec.kind is kind
    assert spec.render.__module__ == f"sync.mail.kinds.{kind}"


def test_a_module_that_declares_another_kind_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong_spec = get_mail_spec(MailKind.SURVEY)
    monkeypatch.setattr("sync.mail.kinds.checkin.SPEC", wrong_spec)
    get_mail_spec.cache_clear()

    with pytest.raises(TypeError, match="checkin does not declare the mail checkin"):
        get_mail_spec(MailKind.CHECKIN)


@pytest.mark.processes
def test_a_kind_is_loaded_when_it_is_asked_for() -> None:
    code = (
        "import sys, sync.mail.deliver, sync.mail.kinds\n"
        "from sync.vocabulary import MailKind\n"
        "def loaded():\n"
        "    return [m for m in sys.modules if m.startswith('sync.mail.kinds.')]\n"
        "print(loaded())\n"
        "sync.mail.kinds.get_mail_spec(MailKind.UNDO)\n"
        "print(loaded())\n"
    )
    command = [sys.executable, "-c", code]

    printed = subprocess.run(  # noqa: S603
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed == "[]\n['sync.mail.kinds.undo']\n"
