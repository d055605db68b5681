"""Rendering a mail of any kind in its reader's language.  Pure."""

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sync.language import activate_language, current_language
from sync.mail.kinds import get_mail_spec
from sync.mail.message import InvalidMail, RenderContext, RenderedMail


def check_mail_values(kind: str, values: Mapping[str, Any]) -> None:
    """Raise `InvalidMail` unless `values` have the names that this kind takes."""
    try:
        inspect.signature(get_mail_spec(kind).render).bind(None, **values)
    except TypeError as error:
        raise InvalidMail(f"A mail of the kind {kind}: {error}.") from None


def render_mail(
    kind: str, values: Mapping[str, Any], context: RenderContext
) -> RenderedMail:
    """Render a mail in its reader's language.

    Raises `InvalidMail` for an unknown kind, or values that it cannot use.
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
