"""What one instance consists of: its parts, where they listen, what they know."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from host import health, redis_server
from host.data_dir import Home
from host.options import Wishes
from host.ports import inner_port
from host.process import Part
from host.process_commands import web_words, worker_words
from sync.settings import PREFIX

STOP_ORDER = ("web", "worker", "simulator", "mailbox", "redis")
_LOOPBACK = "127.0.0.1"
_SIMULATED_CLIENT_ID = "1"
_THREADS = 4
# The worker keeps the schedule, which has it look once a minute.
_PULSE_WITHIN_S = 120.0


@dataclass(slots=True)
class Plan:
    """Collects the parts of one instance and the settings they share."""

    wishes: Wishes
    home: Home
    port: int
    export: Path | None = None
    made_up: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        secrets = self.home.secrets()
        self._set("data_dir", str(self.home.path))
        if self._lacks("database_url"):
            self._set("database_url", "")
        self._set("host", self.wishes.host)
        self._set("port", str(self.port))
        if self._lacks("secret_keys"):
            self._set("secret_keys", secrets["secret_key"])
        if self._lacks("public_url"):
            self._set("public_url", f"http://{self._reached_at}:{self.port}")
        if self.has_own_redis:
            password = secrets["redis_password"]
            address = f"{_LOOPBACK}:{self._listens('redis')}"
            self._set("redis_url", f"redis://:{password}@{address}/0")
        if self.has_own_mailbox:
            self._set("smtp_url", f"smtp://{_LOOPBACK}:{self._listens('mailbox')}")
            if self._is_loopback:
                self._set("mailbox_dir", str(self.home.path / "mailbox"))
        self._plan_strava(secrets)

    def _plan_strava(self, secrets: Mapping[str, str]) -> None:
        if self.has_simulator:
            site = f"http://{_LOOPBACK}:{self._listens('simulator')}"
            self._set("strava_site_url", site)
            self._set("strava_api_url", f"{site}/api/v3")
            self._set("strava_client_id", _SIMULATED_CLIENT_ID)
            self._set("strava_client_secret", secrets["strava_client_secret"])
        for name in ("strava_verify_token", "strava_webhook_secret"):
            if self._lacks(name):
                self._set(name, secrets[name])

    @property
    def has_own_redis(self) -> bool:
        return self._lacks("redis_url")

    @property
    def has_own_mailbox(self) -> bool:
        return self._lacks("smtp_url")

    @property
    def has_simulator(self) -> bool:
        return self._lacks("strava_client_id")

    @property
    def address(self) -> str:
        return self.made_up.get(f"{PREFIX}PUBLIC_URL", self.wishes.public_url)

    @property
    def _is_loopback(self) -> bool:
        try:
            return ip_address(self.wishes.host).is_loopback
        except ValueError:
            return self.wishes.host == "localhost"

    @property
    def _reached_at(self) -> str:
        """Return the address of this machine that answers here."""
        host = self.wishes.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            return _LOOPBACK
        return f"[{host}]" if ":" in host else host

    def redis(self) -> Part:
        port, folder = self.ports["redis"], self.home.folder("redis")
        configuration = folder / "redis.conf"
        redis_server.write_configuration(
            configuration,
            port=port,
            password=self.home.secrets()["redis_password"],
            folder=folder,
        )
        answers = health.greets(port, b"-NOAUTH", after=b"PING\r\n")
        return Part(
            name="redis",
            command=[str(redis_server.find()), str(configuration)],
            environment=_bare_environment(),
            log=self.home.fresh_log("redis"),
            is_ready=answers,
            is_well=answers,
        )

    def mailbox(self) -> Part:
        port, folder = self.ports["mailbox"], self.home.path / "mailbox"
        return Part(
            name="mailbox",
            command=_words("host.mailbox", "--port", port, "--dir", folder),
            is_ours=True,
            environment=_bare_environment(),
            log=self.home.fresh_log("mailbox"),
            is_ready=health.greets(port, b"220"),
        )

    def simulator(self) -> Part:
        port = self.ports["simulator"]
        words: list[object] = ["--host", _LOOPBACK, "--port", port, "--quiet"]
        words += ["--state", self.home.folder("simulator") / "world.sqlite3"]
        words += ["--client-id", _SIMULATED_CLIENT_ID]
        words += ["--client-secret", self.made_up[f"{PREFIX}STRAVA_CLIENT_SECRET"]]
        if self.export:
            words += ["--export", self.export.absolute()]
        return Part(
            name="simulator",
            command=_words("sync.simulator.__main__", *words),
            is_ours=True,
            environment=_bare_environment(),
            log=self.home.fresh_log("simulator"),
            is_ready=health.has_said("Simulated Strava at"),
        )

    def web(self) -> Part:
        answers = health.answers_page(self._bound_host, self.port, "/healthz")
        return Part(
            name="web",
            command=web_words(self.wishes.host, self.port, self.wishes.web_processes),
            is_ours=True,
            environment=self.environment(),
            log=self.home.fresh_log("web"),
            is_ready=answers,
            is_well=answers,
            ends_within_s=2.0,
        )

    @property
    def _bound_host(self) -> str:
        return self._reached_at.strip("[]")

    def worker(self) -> Part:
        return Part(
            name="worker",
            command=worker_words("threads", _THREADS, pulse=self._pulse),
            is_ours=True,
            environment=self.environment(),
            log=self.home.fresh_log("worker"),
            is_ready=health.has_said(" ready."),
            is_well=health.has_pulse(self._pulse, within_s=_PULSE_WITHIN_S),
            ends_within_s=4.0,
        )

    @property
    def _pulse(self) -> Path:
        """The worker touches this file when the schedule's sweep has come."""
        return self.home.path / "pulse"

    def command(self, *words: str) -> Part:
        """Return one of our own commands, run once with the parts' settings."""
        name = "-".join(words)
        return Part(
            name=name,
            command=_words("host.cli", *words),
            is_ours=True,
            environment=self.environment(),
            log=self.home.fresh_log(name),
            is_ready=health.is_alive,
        )

    def module(self, name: str) -> Part:
        """Return a module of ours that runs once with the parts' settings."""
        word = name.rpartition(".")[2]
        return Part(
            name=word,
            command=[name],
            is_ours=True,
            environment=self.environment(),
            log=self.home.fresh_log(word),
            is_ready=health.is_alive,
        )

    def environment(self) -> dict[str, str]:
        """Return what web and worker are told: ours on top of the host's."""
        return {**os.environ, **self.made_up}

    def _lacks(self, name: str) -> bool:
        return name not in self.wishes.configured

    def _set(self, name: str, value: str) -> None:
        self.made_up[f"{PREFIX}{name.upper()}"] = value

    def _listens(self, part: str) -> int:
        self.ports[part] = inner_port(self.home, part)
        return self.ports[part]


def _bare_environment() -> dict[str, str]:
    """Return the environment without our settings: a stand-in needs no secret."""
    return {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}


def _words(*words: object) -> list[str]:
    return [str(word) for word in words]
