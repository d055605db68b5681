"""Every command says in one sentence what it cannot obey, before it does anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.cli import EXIT_FAILED, EXIT_USAGE, main
from tests.support.live_instance import start_instance
from tests.support.servers import HOST, TIMEOUT_S, free_port

COMMANDS = [
    *(["up"], ["demo"], ["web"], ["worker"], ["beat"], ["db", "upgrade"]),
    *(["strava", "status"], ["runner", "list"], ["keys", "rotate"]),
]
DOCTOR = [sys.executable, "-m", "host.cli", "doctor"]
REFUSED = {
    "PUBLIC_URL": "https://club.example.org/moods",
    "DATABASE_URL": "postgresql://moods:p@Zq7Zx/w#rd@db/moods",
    "REDIS_URL": "redis://:p@Zq7Zx/w#rd@redis/0",
    "SMTP_URL": "smtp://me:p@Zq7Zx/w#rd@mail.example.org:587",
    "STRAVA_API_URL": "https://me:Zq7Zx@strava.example",
    "POLL_MINUTES": "nan",
    "TRUSTED_PROXIES": "10.0.0.7:443",
    "HOST": "127.0.0.1,::1",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_begins(
    command: list[str],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MOODMILES_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv(f"MOODMILES_{name}", REFUSED[name])

    code = main(command)

    said = capsys.readouterr()
    assert code in {EXIT_FAILED, EXIT_USAGE}
    assert said.out == ""
    assert said.err.startswith(f"moodmiles: MOODMILES_{name}: ")
    assert said.err.count("\n") == 1
    assert "Zq7Zx" not in said.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", REFUSED)
def test_doctor_says_it_and_goes_on(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MOODMILES_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv(f"MOODMILES_{name}", REFUSED[name])

    assert main(["doctor", "configuration", "helplines"]) == EXIT_FAILED

    said = capsys.readouterr()
    assert said.out.startswith(f"fix  configuration MOODMILES_{name}: ")
    assert said.out.count("\n") == 2
    assert "Zq7Zx" not in said.out + said.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_begins_with_a_proxy_that_cannot_be_used(
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MOODMILES_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:Zq7Zx@127.0.0.1:1080")

    assert main(command) == EXIT_FAILED

    said = capsys.readouterr()
    assert said.err.startswith("moodmiles: HTTPS_PROXY: must look like http://")
    assert "Zq7Zx" not in said.err


@pytest.mark.processes
def test_an_instance_starts_in_an_odd_environment(tmp_path: Path) -> None:
    """A proxy that leads nowhere, names of a cluster, empty values, a hard password."""
    nowhere = f"http://{HOST}:{free_port()}"
    odd = {
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), nowhere),
        "ALL_PROXY": nowhere,
        "MOODMILES_PORT_8000_TCP": "tcp://10.96.3.7:8000",
        "MOODMILES_SERVICE_HOST": "10.96.3.7",
        "MOODMILES_WEB_PORT": "tcp://10.96.3.8:8000",
        "MOODMILES_REDIS_PASSWORD": "a 'b\" $c \\d %2F:@/#?&; ä€ =`e`",
        "MOODMILES_DATABASE_URL": "",
        "MOODMILES_SMTP_URL": " ",
        "MOODMILES_POLL_MINUTES": "",
    }
    with start_instance(tmp_path / "data", command="demo", settings=odd) as running:
        checked = subprocess.run(  # noqa: S603
            [*DOCTOR, "redis", "strava", "mail", "--data-dir", str(running.data_dir)],
            cwd=tmp_path,
            env=os.environ | odd,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
