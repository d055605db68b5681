"""Settings, read from the environment once by each process."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from sync.errors import NotConfigured
from sync.local_requests import is_loopback_name
from sync.mail_address import MailSender
from sync.secret_strength import MAKE_ONE, RULES, find_pattern, find_weakness
from sync.setting_urls import (
    POOL_MODE,
    add_redis_password,
    read_database_url,
    read_redis_url,
    read_web_url,
    require_escaped,
    to_broker_url,
)

PREFIX = "MOODMILES_"
ENV_FILE = ".env"
# Notepad begins a file with a sign that would belong to the first name in it.
ENV_ENCODING = "utf-8-sig"
# A line that names a setting of ours, however it goes on.
_ENV_LINE = re.compile(
    rf"""\W*(?:export\s+|set\s+)?["']?({PREFIX[:-1]}[\W_]\w+)""", re.IGNORECASE
)
# Between such quotes a value is as it stands; here, `${...}` would be replaced, too.
_LITERAL_LINE = re.compile(
    r"^\s*(?:export\s+)?(\w+)\s*=\s*'((?:\\.|[^'\\])*)'", re.MULTILINE | re.DOTALL
)
_LITERAL_ESCAPE = re.compile(r"\\([\\'])")
_EMAIL_PATTERN = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+")
_HOST_PATTERN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_MAX_PATH_BYTES, _MAX_NAME_BYTES = 4096, 255
# A century: longer than anybody runs, and far from the end of all dates.
_MAX_RETENTION_DAYS = 36_500
_MAX_PROCESSES = 256
_MAX_CLIENT_ID = 2**31 - 1
# What Kubernetes tells each container of each service in its namespace, and Docker of
# a linked container: our prefix is the name of the service.
_SERVICE_NAME = re.compile(
    r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://.*")


class _HostEnvironment(EnvSettingsSource):
    """The environment, but for what a cluster has put there."""

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        foreign_names = {name.lower() for name in find_foreign_names(os.environ)}
        return {
            name: value
            for name, value in super()._load_env_vars().items()
            if name.lower() not in foreign_names
        }


class _HostFile(DotEnvSettingsSource):
    """The file beside us, with the values that compose files would read in it."""

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        values = dict(super()._load_env_vars())
        if values:
            for name, value in _LITERAL_LINE.findall(_read_env_file()):
                if name.lower() in values:
                    values[name.lower()] = _LITERAL_ESCAPE.sub(r"\1", value)
        return values


class Settings(BaseSettings):
    """Every setting; `.env.example` explains each one to a host."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding=ENV_ENCODING,
        frozen=True,
        extra="ignore",
    )

    data_dir: Path = Path(".moodmiles")
    database_url: str = ""
    database_pool_mode: Literal["session", "transaction"] = "session"
    redis_password: SecretStr | None = None
    redis_url: str = ""
    public_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    trusted_proxies: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        default_factory=list
    )
    secret_keys: Annotated[list[SecretStr], NoDecode] = Field(default_factory=list)

    strava_client_id: int | None = Field(default=None, ge=1, le=_MAX_CLIENT_ID)
    strava_client_secret: SecretStr | None = None
    strava_site_url: str = "https://www.strava.com"
    strava_api_url: str = "https://www.strava.com/api/v3"
    strava_verify_token: SecretStr | None = None
    strava_webhook_secret: SecretStr | None = None
    strava_retention_days: int | None = Field(
        default=None, ge=1, le=_MAX_RETENTION_DAYS
    )
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
    worker_processes: int = Field(default=2, ge=1, le=_MAX_PROCESSES)
    web_processes: int = Field(default=1, ge=1, le=_MAX_PROCESSES)

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            _HostEnvironment(settings_cls),
            _HostFile(settings_cls, settings_cls.model_config.get("env_file")),
        )

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take an empty value, as compose files give it, for a setting not set."""
        return {
            name: value
            for name, value in values.items()
            if not isinstance(value, str) or value.strip()
        }

    @field_validator("public_url")
    @classmethod
    def _read_public_url(cls, value: str) -> str:
        return read_web_url(value, may_have_path=False)

    @field_validator("strava_site_url", "strava_api_url")
    @classmethod
    def _read_strava_url(cls, value: str) -> str:
        return read_web_url(value, may_have_path=True)

    @field_validator("database_url")
    @classmethod
    def _read_database_url(cls, value: str) -> str:
        return value and read_database_url(value)

    @field_validator("redis_url")
    @classmethod
    def _read_redis_url(cls, value: str, info: ValidationInfo) -> str:
        password: SecretStr | None = info.data.get("redis_password")
        secret = password.get_secret_value() if password else ""
        return value and add_redis_password(read_redis_url(value), secret)

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            require_escaped(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        MailSender.parse(value)
        return value

    @field_validator("contact")
    @classmethod
    def _check_contact(cls, value: str) -> str:
        if not value or _EMAIL_PATTERN.fullmatch(value):
            return value
        try:
            is_page = value.startswith("https://") and bool(urlsplit(value).hostname)
        except ValueError:
            is_page = False
        if not is_page or re.search(r"\s", value):
            raise ValueError("must be an e-mail address or begin with https://")
        return value

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str) -> str:
        host = value.removeprefix("[").removesuffix("]")
        try:
            ip_address(host)
        except ValueError:
            if not _HOST_PATTERN.fullmatch(value) or value.isdecimal():
                raise ValueError(
                    "must be one address of this machine, such as 127.0.0.1 or "
                    "0.0.0.0, without a port"
                ) from None
        return host

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _read_networks(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        try:
            return [ip_network(str(part).strip("[]"), strict=False) for part in value]
        except ValueError:
            raise ValueError(
                "must be addresses or networks with commas between, such as "
                "10.0.0.7, 172.16.0.0/12, without ports"
            ) from None

    @field_validator("data_dir", "mailbox_dir", mode="before")
    @classmethod
    def _read_folder(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            path = Path(value).expanduser()
        except RuntimeError:
            raise ValueError("begins with ~ and no user of this machine") from None
        # An instance closes its folder to all other people.
        if path.absolute() == Path(path.absolute().anchor):
            raise ValueError("must be a folder of its own, and not the root of all")
        encoded = os.fsencode(path)
        if len(encoded) >= _MAX_PATH_BYTES or any(
            len(name) > _MAX_NAME_BYTES for name in encoded.split(b"/")
        ):
            raise ValueError("is longer than the path of a folder can be")
        return path

    @field_validator(
        "log_format", "strava_signature", "database_pool_mode", mode="before"
    )
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("secret_keys", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if value.startswith("[") and value.endswith('"]'):
            raise ValueError("must be a list with commas between, without brackets")
        parts = [_strip(part) for part in value.split(",") if part.strip()]
        if info.field_name == "trusted_proxies":
            return [name for part in parts for name in part.split()]
        return parts

    # The last of them is called first.
    @field_validator("*", mode="before")
    @classmethod
    def _strip_value(cls, value: object, info: ValidationInfo) -> object:
        # A password of another program's is whatever that program takes it for.
        if not isinstance(value, str) or info.field_name == "redis_password":
            return value
        return _strip(value)

    @property
    def sender(self) -> MailSender:
        return MailSender.parse(self.mail_from)

    @property
    def sql_url(self) -> str:
        """The database's URL for `open_engine`: the given one, or a file's.

        It ends in `pool_mode=transaction` if a pooler shares connections.
        """
        if self.database_url:
            url = self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
            if self.database_pool_mode == "session" or url.startswith("sqlite"):
                return url
            return f"{url}{'&' if '?' in url else '?'}{POOL_MODE}=transaction"
        return f"sqlite:///{self.data_dir.resolve() / 'moodmiles.sqlite3'}"

    @property
    def broker_url(self) -> str:
        """The address of Redis as Celery reads it."""
        return to_broker_url(self.redis_url)

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


def _is_loopback(url: str) -> bool:
    return is_loopback_name(urlsplit(url).hostname or "")


def _strip(value: str) -> str:
    """Return a value without the spaces around it; raise `ValueError` for odd signs.

    `docker run --env-file` leaves quotes where they stand, as no other reader does.
    """
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`":
        raise ValueError("is in quotes, which are taken for a part of it: remove them")
    if not all(sign.isprintable() or sign == "\n" for sign in value):
        raise ValueError("has a sign that cannot be printed")
    return value


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, or raise `NotConfigured` with one sentence."""
    reject_unknown(environ)
    try:
        return Settings()
    except ValidationError as error:
        first_error = error.errors(include_input=False, include_url=False)[0]
        field = str(first_error["loc"][0])
        reason = first_error["msg"].removeprefix("Value error, ")
        if first_error["type"] != "value_error":
            reason = _describe_allowed(field) or reason.lower()
        raise NotConfigured(f"{PREFIX}{field.upper()}: {reason}.") from None


def _describe_allowed(field: str) -> str:
    """Return what a number or one of a few words must be; empty for another setting."""
    info = Settings.model_fields[field]
    if get_origin(info.annotation) is Literal:
        *words, last_word = get_args(info.annotation)
        return f"must be {', '.join(words)} or {last_word}"
    bounds = {
        name: getattr(rule, name)
        for rule in info.metadata
        for name in ("ge", "le")
        if hasattr(rule, name)
    }
    return (
        f"must be a whole number from {bounds['ge']} to {bounds['le']}"
        if bounds
        else ""
    )


def find_foreign_names(environ: Mapping[str, str]) -> set[str]:
    """Return the names with our prefix that a cluster or Docker has set, not the host.

    A service or a container called `moodmiles` has MOODMILES_PORT=tcp://10.0.0.7:8000,
    and many more names of its own.
    """
    own = {name: value for name, value in environ.items() if _has_prefix(name)}
    addressed = {
        name
        for name, value in own.items()
        if name.endswith("_PORT") and _SERVICE_ADDRESS.fullmatch(value)
    }
    foreign = addressed | {name for name in own if _SERVICE_NAME.fullmatch(name)}
    # Docker repeats a linked container's own variables, and says its name.
    linked = {name.removesuffix("PORT") for name in addressed} | {
        name.removesuffix("NAME")
        for name, value in own.items()
        if name.endswith("_NAME") and value.startswith("/")
    }
    return foreign | {
        name
        for name in own
        for prefix in linked
        if name == f"{prefix}NAME" or name.startswith(f"{prefix}ENV_")
    }


def _has_prefix(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def reject_unknown(environ: Mapping[str, str]) -> None:
    """Raise `NotConfigured` for an unknown MOODMILES_ name, or a line that is lost."""
    known_names = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    given_names = environ.keys() - find_foreign_names(environ)
    for name in sorted({*given_names, *_read_file_names()}):
        if _has_prefix(name) and name.upper() not in known_names:
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


def reject_repeated(environ: Mapping[str, str]) -> None:
    """Raise `NotConfigured` for two values of one setting, of which one would win."""
    values: dict[str, str] = {}
    for name in environ.keys() - find_foreign_names(environ):
        if (
            _has_prefix(name)
            and values.setdefault(name.upper(), environ[name]) != environ[name]
        ):
            raise NotConfigured(
                f"{name.upper()} is set twice, in capital and in small letters: leave "
                "one of them."
            )


def _read_env_file() -> str:
    """Return the text of the file beside us, empty if there is none.

    Raises `NotConfigured` if it cannot be read.
    """
    path = Path(ENV_FILE)
    # Docker makes a folder of a file that it shall mount and does not find; others
    # have their Python there.
    if path.is_dir() and not (path / "pyvenv.cfg").exists():
        raise NotConfigured(f"{ENV_FILE} is a folder: put the file of settings there.")
    if not path.is_file():
        return ""
    try:
        text = path.read_text(encoding=ENV_ENCODING)
    except (OSError, UnicodeError) as error:
        raise NotConfigured(
            f"{ENV_FILE} cannot be read ({type(error).__name__}): it must be a text in "
            "UTF-8 that this user may read."
        ) from None
    if "\0" in text:
        raise NotConfigured(
            f"{ENV_FILE} is damaged, as by a power cut: it holds zero bytes. Write it "
            "anew."
        )
    return text


def _read_file_names() -> set[str]:
    """Return the names that are set in the file beside us.

    Raises `NotConfigured` for a file, or a line of ours in it, that cannot be read,
    and for a second value of one name.
    """
    text = _read_env_file()
    if not text:
        return set()
    given: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip().startswith("#"):
            continue
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        name = name.strip()
        if separator:
            is_first = given.setdefault(name.upper(), value.strip()) == value.strip()
            if _has_prefix(name) and not is_first:
                raise NotConfigured(f"{name} stands in {ENV_FILE} with two values.")
        elif match := _ENV_LINE.match(line):
            given.setdefault(match[1].upper(), "")
    # Of a line that the reader of such files cannot read, it warns, and goes on.
    readable = {
        name.upper() for name in DotEnvSettingsSource(Settings, ENV_FILE).env_vars
    }
    for name in sorted(given):
        match = _ENV_LINE.match(name)
        if match and not (name in readable and _has_prefix(name)):
            raise NotConfigured(
                f"The line of {match[1].upper()} in {ENV_FILE} cannot be read: write "
                "NAME=value, and close a quote that is open."
            )
    return set(given)
