"""The compose file gives each service what it needs, and no more."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import AuthenticationError, Redis, RedisError
from redis.exceptions import NoPermissionError

from sync.mail.smtp import SmtpServer
from sync.setting_urls import add_redis_password
from sync.settings import PREFIX, Settings
from tests.support.paths import ROOT
from tests.support.servers import HOST, find_valkey, free_port, wait_until

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"web", "worker", "beat", "migrate"}
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
    assert all(port.startswith("127.0.0.1:") for port in ports)


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


def test_every_setting_of_the_host_reaches_our_services() -> None:
    assert all(SERVICES[name]["env_file"] == [".env"] for name in OURS)
    given = {name for name in SERVICES["web"]["environment"] if name.startswith(PREFIX)}
    assert given <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


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
    (tmp_path / ".env").write_text("".join(f"{name}='a $b'\n" for name in required))

    done = subprocess.run(
        ["docker-compose", "config"],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["services"].keys() == SERVICES.keys()
