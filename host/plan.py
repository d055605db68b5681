"""The parts of one instance, the ports they listen on and the settings they get."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from host import health, redis_server
from host.data_dir import DataDirectory, PartFolder
from host.data_entries import DataEntry
from host.options import InstanceOptions
from host.ports import LOOPBACK, choose_inner_port
from host.process import Part
from host.process_commands import web_argv, worker_argv
from sync.errors import describe_os_error
from sync.setting_urls import add_redis_password
from sync.settings import PREFIX

STOP_ORDER = ("web", "worker", "simulator", "mailbox", "redis")
_SIMULATED_CLIENT_ID = "1"
_THREADS = 4
# The worker keeps the schedule, which wakes all queues once a minute.
_HEARTBEAT_TIMEOUT_S = 120.0


@dataclass(slots=True)
class InstancePlan:
    """Collects the parts of one instance and the settings they share."""

    options: InstanceOptions
    home: DataDirectory
    port: int
    export: Path | None = None
    generated_settings: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        secrets = self.secrets = self.home.load_secrets()
        self._set_variable("data_dir", str(self.home.path))
        if self._is_unset("database_url"):
            self._set_variable("database_url", "")
        self._set_variable("host", self.options.host)
        self._set_variable("port", str(self.port))
        if self._is_unset("secret_keys"):
            self._set_variable("secret_keys", secrets["secret_key"])
        if self._is_unset("public_url"):
            self._set_variable(
                "public_url", f"http://{self._reachable_host}:{self.port}"
            )
        if self.has_own_redis:
            url = f"redis://{LOOPBACK}:{self._assign_port('redis')}/0"
            self._set_variable(
                "redis_url", add_redis_password(url, self.redis_password)
            )
        if self.has_own_mailbox:
            self._set_variable(
                "smtp_url", f"smtp://{LOOPBACK}:{self._assign_port('mailbox')}"
            )
            if self.is_loopback:
                self._set_variable(
                    "mailbox_dir", str(self.home.path / DataEntry.MAILBOX)
                )
        if self.has_simulator:
            site = f"http://{LOOPBACK}:{self._assign_port('simulator')}"
            self._set_variable("strava_site_url", site)
            self._set_variable("strava_api_url", f"{site}/api/v3")
            self._set_variable("strava_client_id", _SIMULATED_CLIENT_ID)
            self._set_variable("strava_client_secret", secrets["strava_client_secret"])
        for name in ("strava_verify_token", "strava_webhook_secret"):
            if self._is_unset(name):
                self._set_variable(name, secrets[name])

    @property
    def has_own_redis(self) -> bool:
        return self._is_unset("redis_url")

    @property
    def redis_password(self) -> str:
        """Return the password of our own Redis: the host's, if there is one."""
        return self.options.redis_password or self.secrets["redis_password"]

    @property
    def has_own_mailbox(self) -> bool:
        return self._is_unset("smtp_url")

    @property
    def has_simulator(self) -> bool:
        return self._is_unset("strava_client_id")

    @property
    def address(self) -> str:
        return self.generated_settings.get(
            f"{PREFIX}PUBLIC_URL", self.options.public_url
        )

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.options.host).is_loopback
        except ValueError:
            return self.options.host == "localhost"

    @property
    def _reachable_host(self) -> str:
        """Return the address at which this machine reaches its own pages."""
        host = self.options.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            return LOOPBACK
        return f"[{host}]" if ":" in host else host

    def redis_part(self) -> Part:
        port, password = self.ports["redis"], self.redis_password
        configuration = self.home.path / DataEntry.REDIS / "redis.conf"

        def prepare() -> None:
            folder = self.home.create_folder(DataEntry.REDIS)
            redis_server.write_configuration(
                configuration, port=port, password=password, folder=folder
            )

        # While it reads its files it answers, but with an error.
        is_answering = health.sends_greeting(
            port,
            b"+OK\r\n+PONG",
            request=redis_server.encode_command("AUTH", password)
            + redis_server.encode_command("PING"),
        )
        return Part(
            name="redis",
            command=[str(redis_server.find_server()), str(configuration)],
            environment=_environment_without_settings(),
            log=self.home.rotate_log("redis"),
            is_ready=is_answering,
            is_healthy=is_answering,
            folder=self._part_folder(DataEntry.REDIS, prepare),
        )

    def mailbox_part(self) -> Part:
        port, folder = self.ports["mailbox"], self.home.path / DataEntry.MAILBOX
        return Part(
            name="mailbox",
            command=_to_argv("host.mailbox", "--port", port, "--dir", folder),
            is_module=True,
            environment=_environment_without_settings(),
            log=self.home.rotate_log("mailbox"),
            is_ready=health.sends_greeting(port, b"220"),
            folder=self._part_folder(DataEntry.MAILBOX),
        )

    def simulator_part(self) -> Part:
        port, secret = self.ports["simulator"], f"{PREFIX}STRAVA_CLIENT_SECRET"
        arguments: list[object] = ["--host", LOOPBACK, "--port", port, "--quiet"]
        arguments += ["--state", self.home.path / DataEntry.SIMULATOR / "world.sqlite3"]
        arguments += ["--client-id", _SIMULATED_CLIENT_ID]
        if self.export:
            arguments += ["--export", self.export.absolute()]
        return Part(
            name="simulator",
            command=_to_argv("sync.simulator.__main__", *arguments),
            is_module=True,
            environment=_environment_without_settings()
            | {secret: self.generated_settings[secret]},
            log=self.home.rotate_log("simulator"),
            is_ready=health.has_written("Simulated Strava at"),
            folder=self._part_folder(DataEntry.SIMULATOR),
        )

    def web_part(self) -> Part:
        is_answering = health.serves_page(
            self._reachable_host.strip("[]"), self.port, "/healthz"
        )
        return Part(
            name="web",
            command=web_argv(self.options.host, self.port, self.options.web_processes),
            is_module=True,
            environment=self.build_environment(),
            log=self.home.rotate_log("web"),
            is_ready=is_answering,
            is_healthy=is_answering,
            stop_timeout_s=2.0,
        )

    def worker_part(self) -> Part:
        return Part(
            name="worker",
            command=worker_argv(
                "threads", _THREADS, heartbeat_file=self._heartbeat_file
            ),
            is_module=True,
            environment=self.build_environment(),
            log=self.home.rotate_log("worker"),
            is_ready=health.has_written(" ready."),
            is_healthy=health.has_heartbeat(
                self._heartbeat_file, within_s=_HEARTBEAT_TIMEOUT_S
            ),
            stop_timeout_s=4.0,
        )

    @property
    def _heartbeat_file(self) -> Path:
        """The file that the worker touches whenever it wakes all queues."""
        return self.home.path / DataEntry.HEARTBEAT

    def command_part(self, *arguments: str) -> Part:
        """Return one of our own commands as a part that runs once."""
        name = "-".join(arguments)
        return Part(
            name=name,
            command=_to_argv("host.cli", *arguments),
            is_module=True,
            environment=self.build_environment(),
            log=self.home.rotate_log(name),
            is_ready=health.is_alive,
        )

    def module_part(self, name: str, *arguments: str) -> Part:
        """Return one of our modules as a part that runs once."""
        short_name = name.rpartition(".")[2]
        return Part(
            name=short_name,
            command=[name, *arguments],
            is_module=True,
            environment=self.build_environment(),
            log=self.home.rotate_log(short_name),
            is_ready=health.is_alive,
        )

    def database_part(self) -> Part:
        """Return the part that prepares the tables, before any other one."""
        module = "host.prepare_database"
        if self._is_unset("secret_keys"):
            return self.module_part(
                module, "--key-file", str(self.home.path / DataEntry.SECRETS)
            )
        return self.module_part(module)

    def _part_folder(
        self, entry: DataEntry, prepare: Callable[[], object] | None = None
    ) -> PartFolder:
        """Return the folder of a part, made with all that has to be in it."""
        make = prepare or partial(self.home.create_folder, entry)
        folder = PartFolder(self.home.path / entry, self.home, make)
        try:
            folder.prepare()
        except OSError as error:
            self.home.set_aside(folder.path, describe_os_error(error))
            folder.prepare()
        return folder

    def build_environment(self) -> dict[str, str]:
        """Return the environment of web and worker: the host's, then our settings."""
        return {**os.environ, **self.generated_settings}

    def _is_unset(self, name: str) -> bool:
        return name not in self.options.configured

    def _set_variable(self, name: str, value: str) -> None:
        self.generated_settings[f"{PREFIX}{name.upper()}"] = value

    def _assign_port(self, part: str) -> int:
        self.ports[part] = choose_inner_port(self.home, part)
        return self.ports[part]


def _environment_without_settings() -> dict[str, str]:
    """Return the environment without our settings: a stand-in needs none of them."""
    return {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}


def _to_argv(*arguments: object) -> list[str]:
    return [str(argument) for argument in arguments]
