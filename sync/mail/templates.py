"""Templates to finished HTML, with the styles inlined, and to its text twin.

Pure but for reading the template files, which Jinja keeps in memory.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sync.language import current_language, install_i18n

if TYPE_CHECKING:
    import css_inline


def render_templates(name: str, **values: Any) -> tuple[str, str]:
    """Return the HTML and the text of the mail called `name`."""
    values["language"] = current_language()
    html = _create_environment().get_template(f"{name}.html.j2").render(values)
    text = _create_environment().get_template(f"{name}.txt.j2").render(values)
    return _create_inliner().inline(html), f"{text.strip()}\n"


@cache
def _create_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sync.mail"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    install_i18n(environment)
    return environment


@cache
def _create_inliner() -> "css_inline.CSSInliner":
    """Inline everything but the blocks marked to be kept (dark mode, phones)."""
    # Loaded here: it is two megabytes that only a mail needs.
    import css_inline  # noqa: PLC0415

    return css_inline.CSSInliner(
        keep_style_tags=False, keep_link_tags=False, load_remote_stylesheets=False
    )
