"""The compose file gives each service what it needs, and no more."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import yaml
from psycopg.sql import SQL, Identifier, Literal
from redis import AuthenticationError, Redis, RedisError
from redis.exceptions import NoPermissionError

from host.database import MigrationState
from host.errors import StartupError
from host.serve import require_settings
from sync.mail.smtp import SmtpServer
from sync.setting_urls import add_redis_password, read_connection_parameters
from sync.settings import PREFIX, Settings, load
from tests.support.compose import MissingVariable, interpolate, resolve_environment
from tests.support.paths import ROOT
from tests.support.postgres import PostgresServer
from tests.support.servers import HOST, find_valkey, free_port, wait_until

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"web", "worker", "beat", "migrate"}
HARD_PASSWORDS = ["p@ss/w#rd$x%:\"'", "$HOME ${HOME} $$ %40 \\ ä€", "a b?c&d=e[f]"]
# What is so inside of the containers, whatever the host sets: their own folder, and
# the address that `ports` leads to.
FIXED = {"MOODMILES_HOST", "MOODMILES_PORT", "MOODMILES_DATA_DIR"}
MINIMAL = {
    "POSTGRES_PASSWORD": "db",
    "MOODMILES_REDIS_PASSWORD": "q7Jw0Zr1uVx9Kc3Tn5Lb8Ye2",
    "MOODMILES_PUBLIC_URL": "https://run.example.org",
    "MOODMILES_SECRET_KEYS": "b4Hs6Pd0Gm2Rf8Wv1Ax7Nk9E-u3Yt5Qe7Io9Za1Xs2",
    "MOODMILES_STRAVA_CLIENT_ID": "7",
    "MOODMILES_STRAVA_CLIENT_SECRET": "given by Strava",
    "MOODMILES_STRAVA_VERIFY_TOKEN": "Zr1uVx9Kc3Tn5Lb8Ye2q7Jw0",
    "MOODMILES_STRAVA_WEBHOOK_SECRET": "Pd0Gm2Rf8Wv1Ax7Nk9Eb4Hs6",
    "MOODMILES_CONTACT": "ada@run.example.org",
}
QUOTED_PASSWORD = "'p@ss/w#rd$x%:\"'"
PASSWORDS = ["q7Jw0Zr1uVx9Kc3Tn5Lb8Ye2", "a 'b\" $c \\d %2F:@/#?&; ä€ =`e`", "-n"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_more_than_it_must(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]  # noqa: S108 - the container's own
    assert not {"cap_add", "privileged", "network_mode", "pid", "ipc"} & service.keys()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - OURS))
def test_nobody_else_s_service_runs_as_root(name: str) -> None:
    assert SERVICES[name]["user"].partition(":")[0] not in {"", "0", "root"}


def test_ours_run_as_the_image_s_own_user() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert "USER moodmiles" in lines
    assert all(SERVICES[name]["image"] == "moodmiles" for name in OURS)
    assert not any("user" in SERVICES[name] for name in OURS)


def test_every_image_has_its_tag_in_one_place() -> None:
    images = COMPOSE["x-images"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    text = (ROOT / "docker-compose.yml").read_text()

    assert {SERVICES[name]["image"] for name in SERVICES.keys() - OURS} < {
        *images.values()
    }
    assert all(
        re.search(r":[\w.-]*\d[\w.-]*(@sha256:\w+)?$", i) for i in images.values()
    )
    assert all(text.count(image) == 1 for image in images.values() if "@" in image)
    assert SERVICES["web"]["build"]["args"]["PYTHON_IMAGE"] == images["python"]
    assert "FROM ${PYTHON_IMAGE}\n" in dockerfile
    assert not re.search(r"^FROM (?!\$\{PYTHON_IMAGE\}$)", dockerfile, re.MULTILINE)


def test_the_mail_catcher_reaches_neither_tables_nor_messages() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}

    assert not networks["mail"] & (networks["redis"] | networks["db"])
    assert not networks["redis"] & networks["db"]
    for name in ("redis", "db"):
        [network] = networks[name]
        assert COMPOSE["networks"][network] == {"internal": True}
    assert set().union(*networks.values()) == COMPOSE["networks"].keys()


def test_nothing_is_reached_from_other_machines() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports
    assert all(interpolate(port, {}).startswith("127.0.0.1:") for port in ports)


def test_every_password_is_asked_for_and_stands_in_no_address() -> None:
    settings = SERVICES["web"]["environment"]

    assert settings["PGPASSWORD"] == "${POSTGRES_PASSWORD:?set it in .env}"
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["environment"][f"{PREFIX}REDIS_PASSWORD"] == (
            "${MOODMILES_REDIS_PASSWORD:?set it in .env}"
        )
    assert not [value for value in settings.values() if re.search(r"//\S*\$.*@", value)]


def test_mails_go_to_the_catcher_by_an_explicit_wish() -> None:
    url = SERVICES["worker"]["environment"][f"{PREFIX}SMTP_URL"]

    server = SmtpServer.from_url(url.removeprefix("${MOODMILES_SMTP_URL:-").rstrip("}"))

    assert (server.host, server.port, server.is_plain) == ("mail", 1025, True)


def settings_names() -> set[str]:
    return {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_is_given_every_setting_and_no_other(name: str) -> None:
    given = {key for key in SERVICES[name]["environment"] if key.startswith(PREFIX)}

    assert given == settings_names()
    assert SERVICES[name]["env_file"] == [".env"]  # for what is not ours: a proxy


@pytest.mark.parametrize("source", ["file", "shell"])
@pytest.mark.parametrize("name", sorted(settings_names() - FIXED))
def test_what_the_host_sets_reaches_every_service(name: str, source: str) -> None:
    text = MINIMAL | ({name: "what the host set"} if source == "file" else {})
    shell = {name: "what the host set"} if source == "shell" else {}

    for service in OURS:
        environment = resolve_environment(
            SERVICES[service], "\n".join(f"{k}='{v}'" for k, v in text.items()), shell
        )
        assert environment[name] == "what the host set"


def test_where_the_pages_are_served_is_outside() -> None:
    [port] = SERVICES["web"]["ports"]

    assert interpolate(port, {}) == "127.0.0.1:8000:8000"
    assert (
        interpolate(
            port,
            {"MOODMILES_HOST": "0.0.0.0", "MOODMILES_PORT": "8123"},  # noqa: S104
        )
        == "0.0.0.0:8123:8000"
    )


@pytest.mark.parametrize("part", ["web", "worker", "beat"])
def test_what_is_needed_is_enough(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env = "\n".join(f"{name}='{value}'" for name, value in MINIMAL.items())
    for name, value in resolve_environment(SERVICES[part], env, {}).items():
        monkeypatch.setenv(name, value)

    settings = load()

    require_settings(settings, part)
    assert settings.log_format == "json"
    assert settings.strava_signature == "observe"
    assert settings.strava_retention_days is None
    assert settings.database_pool_mode == "session"
    assert settings.web_processes == 2
    assert str(settings.strava_api_url) == "https://www.strava.com/api/v3"


def test_a_missing_setting_is_asked_for() -> None:
    for missing in MINIMAL:
        env = "\n".join(f"{k}='{v}'" for k, v in MINIMAL.items() if k != missing)
        with pytest.raises(MissingVariable, match=f"^{missing}: set it in .env"):
            resolve_environment(SERVICES["web"], env, {})


@pytest.mark.parametrize("password", HARD_PASSWORDS)
def test_the_database_and_ours_agree_on_any_password(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")
    env = "\n".join(f"{name}='{value}'" for name, value in MINIMAL.items())
    env = env.replace("POSTGRES_PASSWORD='db'", f"POSTGRES_PASSWORD='{quoted}'")

    database = resolve_environment(SERVICES["db"], env, {})
    assert database["POSTGRES_PASSWORD"] == password
    ours = dict[str, str]()
    for service in OURS:
        ours = resolve_environment(SERVICES[service], env, {})
        assert ours["PGPASSWORD"] == password
        assert password not in ours["MOODMILES_DATABASE_URL"]
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    assert read_connection_parameters(load().sql_url) == {
        "user": "moodmiles",
        "host": "db",
        "dbname": "moodmiles",
    }


@pytest.mark.postgresql
@pytest.mark.processes
def test_postgresql_takes_the_password_that_compose_gives_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = Path(mkdtemp(prefix="moodmiles-postgres-"))
    server = PostgresServer(home, free_port())
    server.start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            for number, password in enumerate(HARD_PASSWORDS):
                connection.execute(
                    SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(
                        Identifier(f"role{number}"), Literal(password)
                    )
                )
            hba = home / "data" / "pg_hba.conf"
            hba.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")
        for number, password in enumerate(HARD_PASSWORDS):
            role = server.url.replace("moodmiles@", f"role{number}@")
            sql_url = Settings.model_validate({"database_url": role}).sql_url
            monkeypatch.setenv("PGPASSWORD", password)
            assert MigrationState(sql_url).current_revisions() == set()
            escaped = role.replace("@", f":{quote(password, safe='')}@")
            sql_url = Settings.model_validate({"database_url": escaped}).sql_url
            monkeypatch.setenv("PGPASSWORD", "another")
            assert MigrationState(sql_url).current_revisions() == set()
            wrong = Settings.model_validate({"database_url": role}).sql_url
            with pytest.raises(StartupError) as refused:
                MigrationState(wrong).current_revisions()
            assert "password authentication failed" in str(refused.value)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.processes
@pytest.mark.parametrize("password", PASSWORDS)
def test_redis_asks_for_its_password_and_takes_no_orders(
    password: str, tmp_path: Path
) -> None:
    """Run the service's own command, with the password and folders of this test."""
    [*shell, script] = SERVICES["redis"]["command"]
    port = free_port()
    script = script.replace("$$", "$").replace("/tmp/", f"{tmp_path}/")  # noqa: S108
    script = script.replace("--dir /data", f"--dir {tmp_path} --port {port}")
    server = tmp_path / "bin" / "valkey-server"
    server.parent.mkdir()
    server.symlink_to(find_valkey())
    process = subprocess.Popen(  # noqa: S603
        [*shell, script],
        env={
            "PATH": f"{server.parent}:{os.environ['PATH']}",
            "REDISCLI_AUTH": password,
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_listening(port))
        with (
            Redis.from_url(f"redis://{HOST}:{port}/0") as stranger,
            pytest.raises(AuthenticationError),
        ):
            stranger.ping()
        url = add_redis_password(f"redis://{HOST}:{port}/0", password)
        with Redis.from_url(url) as client:
            assert client.set("moodmiles", "1")
            assert client.eval("return redis.call('get', KEYS[1])", 1, "moodmiles")
            assert client.info("server")["redis_version"]
            for order in ("SHUTDOWN", "CONFIG GET *", "MODULE LIST", "SAVE"):
                with pytest.raises(NoPermissionError):
                    client.execute_command(*order.split())
        command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert len(password) < 3 or password.encode() not in command_line
    finally:
        process.kill()
        process.wait()


def is_listening(port: int) -> bool:
    with Redis.from_url(f"redis://{HOST}:{port}/0") as client:
        try:
            client.ping()
        except AuthenticationError:
            return True
        except RedisError:
            return False
    return True


@pytest.mark.processes
@pytest.mark.skipif(not shutil.which("docker-compose"), reason="needs docker-compose")
def test_compose_itself_understands_the_file(tmp_path: Path) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))
    (tmp_path / "docker-compose.yml").write_text(text)
    assert required == MINIMAL.keys()
    env = "".join(f"{name}='{value}'\n" for name, value in MINIMAL.items())
    env += f"MOODMILES_SMTP_URL={QUOTED_PASSWORD}\n"
    (tmp_path / ".env").write_text(env)

    done = subprocess.run(
        ["docker-compose", "config"],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services.keys() == SERVICES.keys()
    for name, service in services.items():
        # What it prints is a compose file once more: a dollar is doubled.
        resolved = {
            key: str(value).replace("$$", "$")
            for key, value in service.get("environment", {}).items()
        }
        assert resolved == resolve_environment(SERVICES[name], env, {})
