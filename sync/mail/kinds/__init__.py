"""One module a kind of mail: its words, and how the outbox must treat it.

A module is named like its kind in `sync.vocabulary.MailKind` and declares `SPEC`.
None is loaded before its kind is asked for: most processes never send most mails.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module

from sync.mail.message import MailSpec
from sync.vocabulary import MailKind


@cache
def get_mail_spec(kind: MailKind) -> MailSpec:
    """Return what a kind of mail declares."""
    spec = import_module(f"{__name__}.{kind}").SPEC
    if not isinstance(spec, MailSpec) or spec.kind != kind:
        raise TypeError(f"{__name__}.{kind} does not declare the mail {kind}.")
    return spec


def find_kinds(condition: Callable[[MailSpec], bool]) -> Sequence[MailKind]:
    """Return the kinds whose declaration meets a condition; loads all of them."""
    return [kind for kind in MailKind if condition(get_mail_spec(kind))]
