"""Settings, read from the environment once by each process."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sync.errors import NotConfigured
from sync.local_requests import is_loopback_name
from sync.mail_address import MailSender
from sync.secret_strength import MAKE_ONE, RULES, find_pattern, find_weakness

PREFIX = "MOODMILES_"
ENV_FILE = ".env"
_DATABASES = {"postgresql", "sqlite"}
_EMAIL_PATTERN = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+")


class Settings(BaseSettings):
    """Every setting; `.env.example` explains each one to a host."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, frozen=True, extra="ignore"
    )

    data_dir: Path = Path(".moodmiles")
    database_url: str = ""
    redis_url: str = ""
    redis_password: SecretStr | None = None
    public_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    trusted_proxies: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        default_factory=list
    )
    secret_keys: Annotated[list[SecretStr], NoDecode] = Field(default_factory=list)

    strava_client_id: int | None = None
    strava_client_secret: SecretStr | None = None
    strava_site_url: str = "https://www.strava.com"
    strava_api_url: str = "https://www.strava.com/api/v3"
    strava_verify_token: SecretStr | None = None
    strava_webhook_secret: SecretStr | None = None
    strava_retention_days: int | None = Field(default=None, ge=1)
    strava_signature: Literal["off", "observe", "enforce"] = "observe"
    strava_signing_secret: SecretStr | None = None
    poll_minutes: int | None = Field(default=None, ge=1, le=1440)

    smtp_url: SecretStr | None = None
    mail_from: str = "Moodmiles <moodmiles@localhost>"
    mailbox_dir: Path | None = None

    contact: str = ""
    operator: str = ""

    log_format: Literal["text", "json"] = "text"
    metrics_token: SecretStr | None = None
    worker_processes: int = Field(default=2, ge=1)
    web_processes: int = Field(default=1, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _complete_redis_url(cls, values: dict[str, Any]) -> dict[str, Any]:
        if isinstance(url := values.get("redis_url"), str):
            password = values.get("redis_password") or ""
            if isinstance(password, SecretStr):
                password = password.get_secret_value()
            values = values | {"redis_url": complete_redis_url(url, password)}
        return values

    @field_validator("secret_keys", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("public_url", "strava_site_url", "strava_api_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as https://example.org")
        # Whether it is encrypted is asked of its first letters in many places.
        return f"{parts.scheme}{value[len(parts.scheme) :].rstrip('/')}"

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        if value and urlsplit(value).scheme.partition("+")[0] not in _DATABASES:
            raise ValueError(
                "must begin with postgresql://, or be empty for a SQLite file"
            )
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"redis", "rediss"} or not parts.hostname):
            raise ValueError("must look like redis://host:6379/0 or rediss://host/0")
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        MailSender.parse(value)
        return value

    @field_validator("contact")
    @classmethod
    def _check_contact(cls, value: str) -> str:
        if (
            value
            and not value.startswith("https://")
            and not _EMAIL_PATTERN.fullmatch(value)
        ):
            raise ValueError("must be an e-mail address or begin with https://")
        return value

    @property
    def sender(self) -> MailSender:
        return MailSender.parse(self.mail_from)

    @property
    def sql_url(self) -> str:
        """The database's URL: the given one, or a file in the data directory."""
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+psycopg://")
        return f"sqlite:///{self.data_dir.resolve() / 'moodmiles.sqlite3'}"

    @property
    def is_public(self) -> bool:
        """Whether people beyond this machine can reach the pages."""
        return not _is_loopback(self.public_url)

    @property
    def shows_mailbox(self) -> bool:
        return self.mailbox_dir is not None and not self.is_public

    @property
    def allows_fixtures(self) -> bool:
        """Whether made-up runners are allowed: Strava and mail are simulated, too."""
        return self.shows_mailbox and _is_loopback(self.strava_site_url)

    def require_safe(self) -> None:
        """Raise `NotConfigured` for what would put people or their data at risk.

        Every part asks before it starts, and `moodmiles doctor` asks the same.
        """
        require_encryption(self.public_url)
        self.require_contact()
        self.require_strong_secrets()

    def require_strong_secrets(self) -> None:
        """Raise `NotConfigured` for a secret that can be guessed, or is used twice.

        On this machine alone, where nobody else can try, it only has to be long.
        """
        seen_names: dict[str, str] = {}
        for field, rule in RULES.items():
            name, value = f"{PREFIX}{field.upper()}", getattr(self, field) or []
            for secret in value if isinstance(value, list) else [value]:
                text = secret.get_secret_value()
                weakness = find_weakness(text, rule)
                if weakness is None and self.is_public:
                    other_name = seen_names.setdefault(text, name)
                    weakness = (
                        find_pattern(text)
                        if other_name == name
                        else f"is the same text as {other_name}"
                    )
                if weakness is not None:
                    raise NotConfigured(f"{name} {weakness}; make one: {MAKE_ONE}")

    def require_contact(self) -> None:
        """Raise `NotConfigured` for a public address without a contact."""
        if self.is_public and not self.contact:
            raise NotConfigured(
                f"{PREFIX}CONTACT is not set: whoever keeps other people's data has to "
                "say where they can write to; see .env.example."
            )

    def require_secret(self, name: str) -> str:
        """Return a secret setting's text, or raise `NotConfigured` naming it."""
        value = getattr(self, name)
        if value is None:
            raise NotConfigured(f"{PREFIX}{name.upper()} is not set; see .env.example.")
        return str(value.get_secret_value())


def require_encryption(public_url: str) -> None:
    """Raise `NotConfigured` for a public address without https.

    A home network is public, too: whoever is in it could read along, and a sign-in
    with it.
    """
    if urlsplit(public_url).scheme != "https" and not _is_loopback(public_url):
        raise NotConfigured(
            f"{PREFIX}PUBLIC_URL must begin with https on a public address, also in a "
            "home network: put a proxy with a certificate in front; docs/security.md "
            "shows how."
        )


def complete_redis_url(url: str, password: str) -> str:
    """Add the password, and the wish to check the server's certificate.

    Without that wish, Celery would speak TLS with whoever answers.
    """
    parts = urlsplit(url)
    address, query = parts.netloc, parts.query
    if password and parts.password is None:
        user, at, host = address.rpartition("@")
        secret = quote(password, safe="")
        address = f"{user}:{secret}@{host}" if at else f":{secret}@{host}"
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parse_qs(query):
        query = "&".join(filter(None, (query, "ssl_cert_reqs=required")))
    return urlunsplit(parts._replace(netloc=address, query=query))


def _is_loopback(url: str) -> bool:
    return is_loopback_name(urlsplit(url).hostname or "")


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, or raise `NotConfigured` with one sentence."""
    reject_unknown(environ)
    try:
        return Settings()
    except ValidationError as error:
        first_error = error.errors()[0]
        name = (
            f"{PREFIX}{'_'.join(str(part) for part in first_error['loc'][:1])}".upper()
        )
        reason = first_error["msg"].removeprefix("Value error, ")
        raise NotConfigured(f"{name}: {reason}.") from None


def reject_unknown(environ: Mapping[str, str]) -> None:
    """Raise `NotConfigured` for an unknown MOODMILES_ name."""
    known_names = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    path = Path(ENV_FILE)
    lines = path.read_text().splitlines() if path.is_file() else []
    file_names = {
        line.strip().removeprefix("export ").split("=", 1)[0].strip()
        for line in lines
        if "=" in line and not line.strip().startswith("#")
    }
    for name in sorted({*environ, *file_names}):
        if name.upper().startswith(PREFIX) and name.upper() not in known_names:
            # All names begin alike, so only what follows can be compared.
            matches = get_close_matches(
                name.upper().removeprefix(PREFIX),
                [known.removeprefix(PREFIX) for known in known_names],
                n=1,
            )
            advice = (
                f"did you mean {PREFIX}{matches[0]}?"
                if matches
                else ".env.example lists all there are."
            )
            raise NotConfigured(f"Unknown setting {name}; {advice}")
