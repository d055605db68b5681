"""The language that a page, a mail or a picture speaks: texts, dates, numbers.

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
DEFAULT = "en"
# Each language is named in itself: its readers know no other name for it.
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}

_spoken: ContextVar[str] = ContextVar("language", default=DEFAULT)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` inside the block; an unknown one is English."""
    token = _spoken.set(language if language in LANGUAGES else DEFAULT)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """Return the language spoken now, such as "de"."""
    return _spoken.get()


def locale() -> Locale:
    """Return Babel's rules for dates and numbers in the language spoken now."""
    return _locale(spoken())


def choose(wanted: list[str]) -> str:
    """Return our nearest language to those `wanted`, best first, such as "de-CH"."""
    found = negotiate_locale(
        [one.replace("-", "_") for one in wanted], list(LANGUAGES), sep="_"
    )
    return found.split("_")[0] if found else DEFAULT


def gettext(text: str, /, **values: object) -> str:
    """Return `text` in the language spoken now, its `%(name)s` filled in.

    Without values a percent sign is plain; with values it is written twice.
    """
    # A catalogue keeps facts about itself under the empty text.
    said = texts(spoken()).gettext(text) if text else ""
    return said % values if values else said


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the text for `count` things; `%(n)s` is that number unless given."""
    said = texts(spoken()).ngettext(one, many, count)
    return said % ({"n": count} | values)


def pgettext(context: str, text: str) -> str:
    """Return `text` where one English text needs two in another language."""
    return texts(spoken()).pgettext(context, text)


def localized(plain: str) -> str:
    """Give a number such as "1,234.5" the separators of the language spoken."""
    if spoken() == DEFAULT:
        return plain
    symbols = locale().number_symbols["latn"]
    return plain.translate({ord(","): symbols["group"], ord("."): symbols["decimal"]})


def translatable(text: str) -> str:
    """Mark a text for translation where it stands; `gettext` speaks it later."""
    return text


def teach(environment: Environment) -> None:
    """Let templates say `{{ _("Hello") }}` and `{% trans %}` in the language spoken.

    There a percent sign is always written twice, as Jinja's i18n wants it.
    """
    environment.add_extension("jinja2.ext.i18n")
    install = environment.install_gettext_callables  # type: ignore[attr-defined]
    install(_looked_up, _looked_up_many, newstyle=True)


def _looked_up(text: str) -> str:
    return texts(spoken()).gettext(text)


def _looked_up_many(one: str, many: str, n: int) -> str:
    return texts(spoken()).ngettext(one, many, n)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse("en_GB" if language == DEFAULT else language)


@cache
def texts(language: str) -> NullTranslations:
    """Return the texts of one of our languages, read once a process."""
    if language == DEFAULT:
        return NullTranslations()
    return translation(DOMAIN, LOCALE_DIR, [language])
