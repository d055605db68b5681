"""Settings from the environment and from the file beside it."""

import secrets
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.connection import Connection
from pydantic import ValidationError
from redis import Redis

from sync import settings
from sync.errors import NotConfigured
from sync.setting_urls import add_redis_password
from sync.settings import Settings
from tests.conftest import KEY

LONG = {
    "strava_verify_token": "q7Jw0Zr1uVx9Kc3Tn5Lb8Ye2",
    "strava_webhook_secret": "b4Hs6Pd0Gm2Rf8Wv1Ax7Nk9E",
    "metrics_token": "u3Yt5Qe7Io9Za1Xs2Dc4Vf6B",
}
SECRETS = [*LONG, "secret_keys", "redis_password"]
WEAK = {
    "x": "needs at least",
    "q7Jw0Zr1uVx9Kc3Tn5Lb8Ye": "needs at least 24 characters",
    "a" * 40: "repeats itself",
    "ab" * 20: "repeats itself",
    "q7Jw0Zr1uVx9" * 3: "repeats itself",
    "0123456789" * 4: "repeats itself",
    "abcdefghijklmnopqrstuvwxyz0123456789": "repeats itself",
    "zyxwvutsrqponmlkjihgfedcba9876543210": "repeats itself",
    "change-me-to-something-random-soon-please": "is a placeholder",
    "CHANGE_ME_q7Jw0Zr1uVx9Kc3Tn5Lb8Ye2": "is a placeholder",
    "set it in .env q7Jw0Zr1uVx9Kc3Tn5": "is a placeholder",
    "secrets.token_urlsafe(48) q7Jw0Zr1uV": "is a placeholder",
    "Passw0rd-password-Passw0rd-9x2-qq": "is a placeholder",
}
PUBLIC = {"public_url": "https://run.example.org", "contact": "a@run.example.org"}
PUBLIC_URLS = [
    *("http://run.example.org", "http://raspberrypi.local:8000", "http://192.168.1.5"),
    *("http://10.0.0.2:8000", "http://[fe80::1]:8000", "http://0.0.0.0:8000"),
    *("HTTP://run.example.org", "http://127.0.0.1.evil.example"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unknown_name_in_the_environment_is_refused() -> None:
    with pytest.raises(NotConfigured, match="did you mean MOODMILES_PORT"):
        settings.reject_unknown({"MOODMILES_PROT": "1"})


def test_a_name_like_no_other_gets_no_guess() -> None:
    with pytest.raises(NotConfigured, match=r"BANANA; \.env\.example lists all"):
        settings.reject_unknown({"MOODMILES_BANANA": "1"})


@pytest.mark.parametrize(
    "line", ["MOODMILES_PROT=1", "  export moodmiles_prot = 1", "MOODMILES_PROT"]
)
def test_an_unknown_name_in_the_file_is_refused(folder: Path, line: str) -> None:
    (folder / ".env").write_text(f"OTHER=1\n{line}\n")

    with pytest.raises(NotConfigured, match="did you mean MOODMILES_PORT"):
        settings.reject_unknown({})


def test_comments_and_known_names_pass(folder: Path) -> None:
    (folder / ".env").write_text(
        "# MOODMILES_PROT=1\n"
        "MOODMILES_PORT=8001\n"
        "export MOODMILES_HOST=::1\n"
        "MOODMILES_CONTACT"
    )

    settings.reject_unknown({"MOODMILES_PORT": "8000", "PATH": "/bin"})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://u:p@db/moodmiles", "must begin with postgresql://"),
        ("REDIS_URL", "http://redis", "must look like redis://host"),
        ("REDIS_URL", "redis:6379", "must look like redis://host"),
        ("CONTACT", "nobody", "must be an e-mail address"),
    ],
)
def test_an_address_of_a_wrong_kind_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"MOODMILES_{name}", value)

    with pytest.raises(NotConfigured, match=f"^MOODMILES_{name}: {sentence}"):
        settings.load()


def read_settings(**changes: Any) -> Settings:
    return Settings.model_validate({"secret_keys": KEY, **LONG} | changes)


@pytest.mark.parametrize("url", PUBLIC_URLS)
def test_a_public_address_without_https_is_refused(url: str) -> None:
    with pytest.raises(NotConfigured, match="PUBLIC_URL must begin with https on a"):
        read_settings(public_url=url, contact="a@run.example").require_safe()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://run.example.org",
            "HTTPS://run.example.org",
            "http://127.0.0.1:8000",
        ),
        *("http://localhost:8000", "http://[::1]:8000", "http://demo.localhost:8000"),
    ],
)
def test_other_addresses_pass(url: str) -> None:
    read_settings(public_url=url, contact="a@run.example").require_safe()


def test_https_is_https_however_it_is_written() -> None:
    public_url = read_settings(public_url="HTTPS://run.example.org/").public_url

    assert public_url == "https://run.example.org"


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("secret", WEAK)
def test_a_weak_secret_is_refused_without_being_shown(name: str, secret: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        read_settings(**PUBLIC, **{name: secret}).require_safe()

    assert str(refused.value).startswith(f"MOODMILES_{name.upper()} ")
    assert len(secret) < 2 or secret not in str(refused.value)
    assert "token_urlsafe" in str(refused.value)


@pytest.mark.parametrize(("secret", "reason"), WEAK.items())
def test_the_reason_is_named(secret: str, reason: str) -> None:
    with pytest.raises(NotConfigured, match=reason):
        read_settings(**PUBLIC, redis_password=secret).require_safe()


@pytest.mark.parametrize("name", SECRETS)
def test_on_this_machine_alone_a_secret_has_to_be_long(name: str) -> None:
    read_settings(**{name: "x" * 32}).require_safe()
    read_settings(**dict.fromkeys(LONG, "x" * 32)).require_safe()

    with pytest.raises(NotConfigured, match="needs at least"):
        read_settings(**{name: "x" * 23}).require_safe()


@pytest.mark.parametrize("sign", list("/?#% &\u00e4\n\\"))
def test_the_hook_s_secret_fits_into_an_address(sign: str) -> None:
    secret = f"{LONG['strava_webhook_secret']}{sign}x"

    with pytest.raises(NotConfigured, match="do not fit into an address"):
        read_settings(strava_webhook_secret=secret).require_safe()


@pytest.mark.parametrize("sign", [" ", "\n", "\u00e4"])
def test_the_numbers_token_fits_into_a_header(sign: str) -> None:
    with pytest.raises(NotConfigured, match="do not fit into a header"):
        read_settings(metrics_token=f"{LONG['metrics_token']}{sign}x").require_safe()


def test_every_key_is_looked_at() -> None:
    with pytest.raises(NotConfigured, match="SECRET_KEYS needs at least 32"):
        read_settings(secret_keys=f"{KEY},old").require_safe()


def test_no_secret_serves_twice() -> None:
    with pytest.raises(NotConfigured, match="is the same text as MOODMILES_SECRET_KEY"):
        read_settings(
            **PUBLIC,
            strava_verify_token=KEY.replace(" ", "-"),
            secret_keys=KEY.replace(" ", "-"),
        ).require_safe()


def test_generated_secrets_pass() -> None:
    for _ in range(300):
        read_settings(
            **PUBLIC,
            secret_keys=secrets.token_hex(16),
            strava_verify_token=secrets.token_hex(12),
            strava_webhook_secret=secrets.token_urlsafe(18),
            metrics_token=secrets.token_urlsafe(48),
        ).require_safe()


@given(st.text(st.sampled_from(string.printable + "\u00e4%:@/#"), min_size=1))
def test_any_password_of_redis_arrives(password: str) -> None:
    url = add_redis_password("redis://redis:6379/0", password)

    with Redis.from_url(url) as client, Connection(url) as broker:
        values = client.connection_pool.connection_kwargs
        assert (values["host"], values["password"]) == ("redis", password)
        assert (broker.hostname, broker.password) == ("redis", password)


def test_of_two_passwords_none_is_passed_over() -> None:
    url, password = "redis://:q7Jw0Zr1uVx9Kc3Tn5Lb8Ye%32@redis/0", LONG["metrics_token"]

    with pytest.raises(ValidationError, match="holds another password than MOODM"):
        read_settings(redis_url=url, redis_password=password)

    same = read_settings(redis_url=url, redis_password="q7Jw0Zr1uVx9Kc3Tn5Lb8Ye2")
    assert same.redis_url == url


@pytest.mark.parametrize("url", ["rediss://:p@redis:6379/0", "rediss://redis"])
def test_the_certificate_of_redis_is_checked_by_all_who_connect(url: str) -> None:
    url = read_settings(redis_url=url).redis_url

    with Redis.from_url(url) as client, Connection(url) as broker:
        assert client.connection_pool.connection_kwargs["ssl_cert_reqs"] == "required"
        assert broker.ssl["ssl_cert_reqs"].name == "CERT_REQUIRED"


def test_a_wish_not_to_check_it_is_kept() -> None:
    url = "rediss://redis/0?ssl_cert_reqs=none"

    assert read_settings(redis_url=url).redis_url == url
