"""The language of a page, a mail or a picture: texts, dates, numbers.

Texts stand in the code in English.  `babel.cfg` says where they are found,
`sync/locale/<language>/LC_MESSAGES/moodmiles.po` holds their translations, and
`make messages` brings both together.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

from babel import Locale, negotiate_locale
from jinja2 import Environment

DOMAIN = "moodmiles"
LOCALE_DIR = Path(__file__).parent / "locale"
DEFAULT_LANGUAGE = "en"
# Each language is named in itself: its readers know no other name for it.
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}

_current_language: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)


@contextmanager
def activate_language(language: str) -> Iterator[None]:
    """Use `language` inside the block; an unknown one is English."""
    token = _current_language.set(
        language if language in LANGUAGES else DEFAULT_LANGUAGE
    )
    try:
        yield
    finally:
        _current_language.reset(token)


def current_language() -> str:
    """Return the active language, such as "de"."""
    return _current_language.get()


def current_locale() -> Locale:
    """Return Babel's rules for dates and numbers in the active language."""
    return load_locale(current_language())


def negotiate_language(preferred: list[str]) -> str:
    """Return our nearest language to the `preferred` tags, such as "de-CH"."""
    match = negotiate_locale(
        [tag.replace("-", "_") for tag in preferred], list(LANGUAGES), sep="_"
    )
    return match.split("_")[0] if match else DEFAULT_LANGUAGE


def gettext(text: str, /, **values: object) -> str:
    """Return `text` in the active language, its `%(name)s` filled in.

    Without values a percent sign is plain; with values it is written twice.
    """
    # A catalogue holds its own metadata under the empty text.
    translated = load_translations(current_language()).gettext(text) if text else ""
    return translated % values if values else translated


def ngettext(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Return the text for `count` things; `%(n)s` is that number unless given."""
    translated = load_translations(current_language()).ngettext(singular, plural, count)
    return translated % ({"n": count} | values)


def pgettext(context: str, text: str) -> str:
    """Return `text` where one English text needs two in another language."""
    return load_translations(current_language()).pgettext(context, text)


def localize_number(number_text: str) -> str:
    """Give a number such as "1,234.5" the separators of the active language."""
    if current_language() == DEFAULT_LANGUAGE:
        return number_text
    symbols = current_locale().number_symbols["latn"]
    return number_text.translate(
        {ord(","): symbols["group"], ord("."): symbols["decimal"]}
    )


def format_signed(value: float) -> str:
    """Format one decimal with a true sign, 0 without: a mood is never a bare number."""
    rounded = round(value, 1)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\N{MINUS SIGN}"
    return f"{sign}{localize_number(f'{abs(rounded):.1f}')}"


def translatable(text: str) -> str:
    """Mark a text for extraction; `gettext` translates it later."""
    return text


def install_i18n(environment: Environment) -> None:
    """Give templates `{{ _("Hello") }}` and `{% trans %}` in the active language.

    There a percent sign is always written twice, as Jinja's i18n requires.
    """
    environment.add_extension("jinja2.ext.i18n")
    install = environment.install_gettext_callables  # type: ignore[attr-defined]
    install(
        lambda text: load_translations(current_language()).gettext(text),
        lambda singular, plural, n: load_translations(current_language()).ngettext(
            singular, plural, n
        ),
        newstyle=True,
    )


@cache
def load_locale(language: str) -> Locale:
    """Return Babel's rules for one of our languages; English is British."""
    return Locale.parse("en_GB" if language == DEFAULT_LANGUAGE else language)


@cache
def load_translations(language: str) -> NullTranslations:
    """Return the catalogue of one of our languages, read once a process."""
    if language == DEFAULT_LANGUAGE:
        return NullTranslations()
    return translation(DOMAIN, LOCALE_DIR, [language])
