"""The doctor and the mail server: each fault is told apart, with its cure."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from host.doctor import run_checks
from host.mail_check import SENTENCES
from sync import counters
from sync.clock import utc_now
from sync.database import Database, open_engine
from sync.queue import CeleryQueue
from sync.settings import Settings
from sync.vocabulary import MailFault
from tests.support.certificates import DAY, Authority
from tests.support.lying_servers import (
    Plant,
    Talk,
    converse,
    fill_backlog,
    hang_up,
    plant_server,
    run_server,
    say,
    say_nothing,
)
from tests.support.servers import HOST, free_port
from tests.support.smtp_servers import FakeSmtpServer, build_server_tls, run_smtp_server

# A name that leads to this machine, and is not known to do so.
FAR = "mail.example"
SECRET = "hoch%2Fgeheim"
AUTH = ("EHLO", "250-mail.example\r\n250 AUTH PLAIN LOGIN")


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.mail_check._TIMEOUT_S", 0.5)


@pytest.fixture(autouse=True)
def far_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the name server one more name."""
    resolve = socket.getaddrinfo

    def resolve_far(host: Any, *args: Any, **options: Any) -> Any:
        return resolve(HOST if host == FAR else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_far)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trust an authority of our own."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


def get_advice(settings: Settings, url: str, **changes: Any) -> str:
    updates = {"smtp_url": SecretStr(url)} | changes
    [result] = run_checks(settings.model_copy(update=updates), ["mail"])
    return str(result)


def serve(talk: Talk, *, scheme: str = "smtp", login: str = "") -> Plant:
    return plant_server(talk, f"{scheme}://{login}{{place}}")


@contextmanager
def no_such_name(_folder: Path) -> Generator[str]:
    yield "smtp://nowhere.invalid"


@contextmanager
def empty_label(_folder: Path) -> Generator[str]:
    yield "smtp://mail..example"


@contextmanager
def nobody_there(_folder: Path) -> Generator[str]:
    yield f"smtp://{HOST}:{free_port()}"


@contextmanager
def blocked_port(_folder: Path) -> Generator[str]:
    with fill_backlog() as port:
        yield f"smtp://{HOST}:{port}"


@contextmanager
def tls_port_as_plain(folder: Path) -> Generator[str]:
    with run_server(say("220 hello\r\n"), tls=build_server_tls(folder)) as port:
        yield f"smtp://{HOST}:{port}"


@contextmanager
def no_starttls(_folder: Path) -> Generator[str]:
    with run_server(converse("220 hello")) as port:
        yield f"smtp://{FAR}:{port}"


@contextmanager
def starttls_out_of_order(_folder: Path) -> Generator[str]:
    offer = ("EHLO", "250-mail.example\r\n250 STARTTLS")
    refusal = ("STARTTLS", "454 4.7.0 TLS not available")
    with run_server(converse("220 hello", offer, refusal)) as port:
        yield f"smtp://{FAR}:{port}"


@contextmanager
def own_certificate(folder: Path) -> Generator[str]:
    with run_smtp_server(tls_context=build_server_tls(folder)) as post:
        yield post.url.replace(HOST, FAR)


@contextmanager
def wrong_password(folder: Path) -> Generator[str]:
    post = FakeSmtpServer()
    with run_smtp_server(
        post,
        tls_context=build_server_tls(folder),
        authenticator=post.authenticate,
        auth_required=True,
    ):
        yield post.url.replace("//", "//runs:wrong@")


LOGIN = f"runs:{SECRET}@"
FAULTS: dict[str, tuple[Plant, str]] = {
    "name": (no_such_name, "No machine is called nowhere.invalid: correct"),
    "label": (empty_label, "No machine is called mail..example: correct"),
    "refused": (nobody_there, "refuses the connection: start the mail server"),
    "blocked": (blocked_port, "providers often block ports 25, 465 and 587"),
    "silent": (serve(say_nothing), "takes the connection and then says nothing"),
    "hung up": (serve(hang_up), "hung up in the middle"),
    "web server": (
        serve(say("HTTP/1.1 400 Bad Request\r\n\r\n")),
        "What answers at 127.0.0.1",
    ),
    "noise": (serve(say("\x00\x01" * 9000)), "is no mail server"),
    "full of words": (
        serve(converse("554 5.7.1 no service for 127.0.0.1")),
        "does not serve this machine (554 5.7.1 no service for 127.0.0.1): ask",
    ),
    "busy": (
        serve(converse("421 4.3.2 too many connections")),
        "takes nothing just now (421 4.3.2 too many connections): mails wait",
    ),
    "plain on smtps": (
        serve(converse("220 hello"), scheme="smtps"),
        "speaks no TLS from the first byte: begin MOODMILES_SMTP_URL with smtp://",
    ),
    "smtps on plain": (
        tls_port_as_plain,
        "speaks TLS from the first byte: begin MOODMILES_SMTP_URL with smtps://",
    ),
    "no STARTTLS": (no_starttls, "offers no encryption (STARTTLS), and mails hold"),
    "STARTTLS refused": (
        starttls_out_of_order,
        "takes nothing just now (454 4.7.0 TLS not available)",
    ),
    "own certificate": (own_certificate, "Nobody whom this machine trusts vouches"),
    "no AUTH": (
        serve(converse("220 hello"), login=LOGIN),
        "offers no sign-in (AUTH) on this port",
    ),
    "XOAUTH2 only": (
        serve(
            converse("220 hello", ("EHLO", "250-m\r\n250 AUTH XOAUTH2 OAUTHBEARER")),
            login=LOGIN,
        ),
        "takes no password, only XOAUTH2 OAUTHBEARER: allow passwords",
    ),
    "wrong password": (wrong_password, "refuses user or password (535 5.7.8"),
    "app password": (
        serve(
            converse("220 hello", AUTH, ("AUTH", "534 5.7.9 app password needed")),
            login=LOGIN,
        ),
        "refuses user or password (534 5.7.9 app password needed): correct",
    ),
    "challenges without end": (
        serve(
            converse("220 hello", AUTH, ("QUIT", "221 bye"), ("", "334 !")),
            login=LOGIN,
        ),
        "failed in a way that we do not know (334 !)",
    ),
    "sign-in first": (
        serve(converse("220 hello", ("MAIL", "530 5.7.0 authentication required"))),
        "wants a sign-in first (530 5.7.0 authentication required): write",
    ),
    "sender": (
        serve(converse("220 hello", ("MAIL", "553 5.7.1 sender not owned by user"))),
        "refuses moodmiles@localhost as the sender (553 5.7.1 sender not owned",
    ),
    "odd EHLO": (
        serve(converse("220 hello", ("EHLO", "what?"), ("HELO", "what?"))),
        "is no mail server",
    ),
    "nothing after EHLO": (
        serve(converse("220 hello", ("EHLO", "250-never ending"))),
        "takes the connection and then says nothing",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_apart(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    plant, sentence = FAULTS[name]
    with plant(tmp_path) as url:
        advice = get_advice(settings, url)

    assert advice.startswith("fix  mail ")
    assert sentence in advice
    assert advice.count("\n") == 0
    assert "geheim" not in advice


@pytest.mark.parametrize(
    ("name", "begins_in", "ends_in", "sentence"),
    [
        (FAR, -2 * DAY, -DAY, "has expired: renew it on the mail server"),
        (FAR, DAY, 2 * DAY, "is not valid yet: set this machine's clock"),
        ("other.example", -DAY, DAY, "is not valid for that name: write the name"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(
    settings: Settings,
    authority: Authority,
    *,
    name: str,
    begins_in: timedelta,
    ends_in: timedelta,
    sentence: str,
) -> None:
    context = authority.build_server_tls(name, begins_in=begins_in, ends_in=ends_in)
    with (
        run_smtp_server(tls_context=context) as by_starttls,
        run_smtp_server(ssl_context=context) as by_tls,
    ):
        urls = by_starttls.url, by_tls.url.replace("smtp", "smtps")
        advices = [get_advice(settings, url.replace(HOST, FAR)) for url in urls]

    for advice in advices:
        assert f"The certificate of {FAR}:" in advice
        assert sentence in advice


def test_a_server_that_is_well_takes_our_sender(
    settings: Settings, authority: Authority
) -> None:
    post = FakeSmtpServer()
    with run_smtp_server(post, tls_context=authority.build_server_tls(FAR)):
        advice = get_advice(settings, post.url.replace(HOST, FAR))

    assert advice.startswith("ok   mail ")
    assert advice.endswith("answers and takes our sender")
    assert post.raw_mails == []
    assert post.recipients == []


def test_what_happened_to_single_mails_lately_is_told(settings: Settings) -> None:
    db = Database(open_engine(settings.sql_url), CeleryQueue(""))
    with db.transaction() as session:
        counters.increment(session, "mail: mailbox full", at=utc_now())
        counters.increment(session, "mail: too large", at=utc_now() - 2 * DAY)
        counters.increment(session, "mail: hung up", at=utc_now())
    db.close()
    with run_smtp_server() as post:
        advice = get_advice(settings, post.url)

    assert advice.startswith("ok ")
    assert advice.endswith("of single mails in the last day: mailbox full")


def test_every_fault_has_its_own_sentence() -> None:
    assert SENTENCES.keys() == set(MailFault)
    assert len(set(SENTENCES.values())) == len(SENTENCES)
