"""Rendering a mail of any kind in its reader's language.  Pure."""

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sync.language import activate_language, current_language
from sync.mail.kinds import get_mail_spec
from sync.mail.message import InvalidMail, RenderContext, RenderedMail
from sync.vocabulary import MailKind


def check_mail_values(kind: MailKind, values: Mapping[str, Any]) -> None:
    """Raise `InvalidMail` unless `values` have the names that this kind takes."""
    signature = inspect.signature(get_mail_spec(kind).render)
    try:
        signature.bind(None, **values)
    except TypeError as error:
        raise InvalidMail(f"A mail of the kind {kind}: {error}.") from None


def render_mail(
    kind: MailKind, values: Mapping[str, Any], context: RenderContext
) -> RenderedMail:
    """Render a mail in its reader's language.

    Raises `InvalidMail` for values that the kind does not take or cannot use.
    """
    check_mail_values(kind, values)
    try:
        with activate_language(context.language or current_language()):
            return get_mail_spec(kind).render(context, **values)
    except ValidationError as error:
        invalid_names = ", ".join(str(item["loc"][-1]) for item in error.errors())
        raise InvalidMail(
            f"A mail of the kind {kind} cannot use its {invalid_names}."
        ) from None
