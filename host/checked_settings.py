"""The settings of checks, as far as they can be used: a bad one hides no fault."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from pydantic import ValidationError

from host.configuration import load_effective_settings
from sync.errors import MoodmilesError
from sync.settings import PREFIX, Settings

_DATABASE = frozenset({"database_url", "data_dir"})
_REDIS = frozenset({"redis_url", "redis_password"})
# A check that needs none of what cannot be used is made all the same.
_NEEDED_FIELDS: Mapping[str, frozenset[str]] = {
    "database": _DATABASE,
    "keys": _DATABASE | {"secret_keys"},
    "disk": _DATABASE | {"secret_keys"},
    "redis": _REDIS,
    "schedule": _REDIS,
    "workers": _REDIS,
    "mail": frozenset({"smtp_url", "mail_from"}),
    "strava": _DATABASE
    | {
        *("secret_keys", "public_url", "strava_client_id", "strava_client_secret"),
        *("strava_api_url", "strava_site_url", "strava_webhook_secret"),
    },
    "signatures": _DATABASE | {"secret_keys", "strava_signature"},
    "limits": _DATABASE | _REDIS | {"secret_keys"},
    "clock": _DATABASE | {"secret_keys"},
    "work": _DATABASE | {"secret_keys"},
    "certificate": frozenset({"public_url"}),
}


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    """The settings (None: none can be read), and what is wrong with them."""

    settings: Settings | None
    problem: str = ""
    unusable: frozenset[str] = frozenset()

    def reason_to_skip(self, check: str) -> str:
        """Return why a check cannot be made; empty if it can."""
        if self.settings is None:
            return "Not checked: see configuration's line."
        names = sorted(self.unusable & _NEEDED_FIELDS.get(check, frozenset()))
        if not names:
            return ""
        return f"Not checked: {_name_variables(names)} cannot be used."


def load_for_checks(arguments: SimpleNamespace) -> CheckedSettings:
    """Load the settings, without those that cannot be used; raises nothing."""
    try:
        return CheckedSettings(load_effective_settings(arguments))
    # Whatever stands in the environment or in a file, the other checks go on.
    except Exception as error:  # noqa: BLE001
        problem = describe_problem(error)
    defaults = _find_defaults_of_unusable()
    others = [name for name in sorted(defaults) if name.upper() not in problem]
    if others:
        problem += f" {_name_variables(others)} cannot be used either."
    # An empty variable stands for one that is not set, and hides the one in the file.
    os.environ.update({f"{PREFIX}{name.upper()}": "" for name in defaults})
    unusable = frozenset(defaults)
    try:
        return CheckedSettings(load_effective_settings(arguments), problem, unusable)
    except Exception:  # noqa: BLE001 - as above
        settings = _try_settings(defaults)
        usable = settings if isinstance(settings, Settings) else None
        return CheckedSettings(usable, problem, unusable)


def describe_problem(error: Exception) -> str:
    """Return one sentence for a setting that cannot be used."""
    if isinstance(error, MoodmilesError):
        return str(error)
    return (
        f"The settings cannot be read ({type(error).__name__}): .env must be a text "
        "file that this user may read, and .env.example shows each line."
    )


def _find_defaults_of_unusable() -> dict[str, object]:
    """Return the default of each setting whose value cannot be used."""
    defaults: dict[str, object] = {}
    while (settings := _try_settings(defaults)) is not None and not isinstance(
        settings, Settings
    ):
        defaults |= {
            name: Settings.model_fields[name].get_default(call_default_factory=True)
            for name in settings
        }
    return defaults


def _try_settings(defaults: Mapping[str, object]) -> Settings | set[str] | None:
    """Return settings, or the names of those that cannot be used; None without."""
    try:
        return Settings(**defaults)  # type: ignore[arg-type]
    except ValidationError as error:
        names = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        return names & Settings.model_fields.keys() - defaults.keys() or None
    except Exception:  # noqa: BLE001 - the file cannot be read
        return None


def _name_variables(fields: list[str]) -> str:
    return ", ".join(f"{PREFIX}{name.upper()}" for name in fields)
