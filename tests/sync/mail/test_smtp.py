"""The line to the mail server: secured where it can be, never a password in clear."""

from base64 import b64decode
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from socket import socket
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from typing_extensions import override

from sync.errors import NotConfigured
from sync.mail.delivery_rules import SmtpStage
from sync.mail.smtp import DeliveryFailed, SmtpConnection, SmtpServer
from sync.mail_address import MailSender
from sync.vocabulary import MailFault
from tests.support.lying_servers import Talk, run_server
from tests.support.servers import HOST
from tests.support.smtp_servers import FakeSmtpServer, build_server_tls, run_smtp_server

SENDER = MailSender.parse("Moodmiles <runs@mail.moodmiles.example>")


def build_email() -> EmailMessage:
    email = EmailMessage()
    email["To"] = "sam@example.org"
    email.set_content("Hello")
    return email


def send_email(
    server: SmtpServer, *, to: str = "sam@example.org", timeout_s: float = 5
) -> None:
    with SmtpConnection(server, sender=SENDER, timeout_s=timeout_s) as line:
        line.send(build_email(), recipient=to)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("smtp", "mail.example", 587)),
        ("smtps://mail.example", SmtpServer("smtps", "mail.example", 465)),
        ("smtp://127.0.0.1:2525", SmtpServer("smtp", "127.0.0.1", 2525)),
        (
            "smtp://runs%40example.org:p%2Fw%3A1@mail.example:25",
            SmtpServer("smtp", "mail.example", 25, "runs@example.org", "p/w:1"),
        ),
        (
            "smtp://mail:1025?tls=off",
            SmtpServer("smtp", "mail", 1025, is_plain=True),
        ),
    ],
)
def test_the_address_of_a_server(url: str, server: SmtpServer) -> None:
    assert SmtpServer.from_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        *("", "mail.example", "http://mail.example", "smtp://", "smtp://m:port"),
        *("smtp://mail?tls=no", "smtp://mail?tls=", "smtp://mail?starttls=off"),
        *("smtps://mail?tls=off", "smtp://mail?tls=off&x=1"),
        # What an unquoted / # or ? in a password makes of an address.
        *("smtp://runs:1/2@mail", "smtp://runs:1#2@mail", "smtp://runs:1?2@mail"),
        *("smtp://mail:0", "smtp://mail:99999", "smtp://[::1", "smtp://läufer..de"),
        # Not UTF-8, half of a character, and what parts user and password.
        *("smtp://runs:%E4@mail", "smtp://runs:\udce4@mail", "smtp://runs:%00@mail"),
    ],
)
def test_a_wrong_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(NotConfigured, match="MOODMILES_SMTP_URL must look like"):
        SmtpServer.from_url(url)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(SmtpServer.from_url("smtp://me:secret@mail.example"))


def test_credentials_go_over_starttls(tmp_path: Path) -> None:
    post = FakeSmtpServer()
    with run_smtp_server(
        post,
        tls_context=build_server_tls(tmp_path),
        authenticator=post.authenticate,
        auth_required=True,
    ):
        send_email(SmtpServer.from_url(post.url.replace("//", "//runs:right%2Fword@")))

    assert post.users == [b"runs"]
    assert len(post.raw_mails) == 1


@pytest.mark.parametrize(
    ("mechanism", "expected"),
    [
        ("PLAIN", "\0läufer\0Grüße 走る"),
        ("LOGIN", "läufer|Grüße 走る"),
        ("plain", "\0läufer\0Grüße 走る"),
        ("CRAM-MD5", "läufer 9c7eddf0"),
    ],
)
def test_any_letters_make_a_user_and_a_password(mechanism: str, expected: str) -> None:
    answers: list[str] = []

    def sign_in(line: socket) -> None:
        line.sendall(b"220 hello\r\n")
        for text in line.makefile("r", encoding="ascii", newline="\n"):
            words = text.strip().split(" ")
            match words[0].upper():
                case "EHLO":
                    line.sendall(f"250-m\r\n250 AUTH {mechanism}\r\n".encode())
                case "AUTH":
                    answers.extend(words[2:])
                    is_answered = len(answers) == (mechanism.upper() != "LOGIN")
                    is_done = is_answered and mechanism != "CRAM-MD5"
                    line.sendall(b"235 OK\r\n" if is_done else b"334 PDE+\r\n")
                case "MAIL" | "RSET" | "QUIT":
                    line.sendall(b"250 OK\r\n")
                case _:
                    answers.append(words[0])
                    is_done = len(answers) == 2 or mechanism == "CRAM-MD5"
                    line.sendall(b"235 OK\r\n" if is_done else b"334 PDE+\r\n")

    with run_server(sign_in) as port:
        url = f"smtp://l%C3%A4ufer:Gr%C3%BC%C3%9Fe%20%E8%B5%B0%E3%82%8B@{HOST}:{port}"
        with SmtpConnection(
            SmtpServer.from_url(url), sender=SENDER, timeout_s=5
        ) as line:
            line.try_sender()

    assert "|".join(b64decode(answer).decode() for answer in answers).startswith(
        expected
    )


REPLIES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [
            *(b"220 hello", b"250 OK", b"250-AUTH PLAIN\r\n250 AUTH LOGIN XOAUTH2"),
            *(b"250-STARTTLS\r\n250 SIZE x", b"334 ", b"334 =", b"334 \xff", b"354"),
            *(b"421 4.0.0 bye", b"235", b"999 what", b"-1", b"250-", b"530 5.7.0 \xe4"),
        ]
    ),
)


@given(st.lists(REPLIES, max_size=8), st.booleans())
@hypothesis(max_examples=150)
def test_whatever_a_server_says_is_taken_or_is_a_failure(
    replies: list[bytes], has_password: bool
) -> None:
    def talk(line: socket) -> None:
        for reply in replies:
            line.sendall(reply + b"\r\n")
            line.recv(4096)

    with run_server(talk) as port:
        login = "läufer:wört@" if has_password else ""
        server = SmtpServer.from_url(f"smtp://{login}{HOST}:{port}")
        with suppress(DeliveryFailed):
            send_email(server, timeout_s=0.2)


@pytest.mark.parametrize("part", [b"2", b"250-x\r\n"])
def test_an_answer_that_does_not_end_is_not_waited_for(part: bytes) -> None:
    """Each part comes in time, and so would keep one that waits for the next."""

    def talk(line: socket) -> None:
        if part.endswith(b"\n"):
            line.sendall(b"220 hello\r\n")
        for _ in range(200):
            line.sendall(part)
            sleep(0.1)

    begun_at = monotonic()
    with run_server(talk) as port, pytest.raises(DeliveryFailed) as failed:
        send_email(SmtpServer.from_url(f"smtp://{HOST}:{port}"), timeout_s=0.5)

    assert failed.value.fault == MailFault.ANSWER_TIMED_OUT
    assert monotonic() - begun_at < 15


def test_no_password_comes_back_with_a_servers_words() -> None:
    def talk(line: socket) -> None:
        line.sendall(b"220 hello\r\n")
        while command := line.recv(4096):
            if command.upper().startswith(b"EHLO"):
                line.sendall(b"250-x\r\n250 AUTH PLAIN\r\n")
            else:
                line.sendall(b"535 no robin w/rd: " + command.strip() + b"\r\n")

    with run_server(talk) as port, pytest.raises(DeliveryFailed) as failed:
        send_email(SmtpServer.from_url(f"smtp://robin:w%2Frd@{HOST}:{port}"))

    assert failed.value.text == "no robin ***: AUTH PLAIN ***"


def test_no_password_comes_back_with_a_refusal_of_the_sender() -> None:
    """Some servers say who signed in, and with what, when they refuse a mail."""

    def talk(line: socket) -> None:
        line.sendall(b"220 hello\r\n")
        while command := line.recv(4096).upper():
            if command.startswith(b"EHLO"):
                line.sendall(b"250-x\r\n250 AUTH PLAIN\r\n")
            elif command.startswith(b"AUTH"):
                line.sendall(b"235 in\r\n")
            else:
                line.sendall(b"553 robin with w/rd may not\r\n")

    with run_server(talk) as port, pytest.raises(DeliveryFailed) as failed:
        send_email(SmtpServer.from_url(f"smtp://robin:w%2Frd@{HOST}:{port}"))

    assert failed.value.text == "robin with *** may not"


def test_a_server_may_speak_tls_from_the_first_byte(tmp_path: Path) -> None:
    with run_smtp_server(ssl_context=build_server_tls(tmp_path)) as post:
        send_email(SmtpServer.from_url(post.url.replace("smtp://", "smtps://")))

    assert len(post.raw_mails) == 1


class RemoteServer(SmtpServer):
    """The same server, as if it stood elsewhere."""

    @property
    @override
    def is_local(self) -> bool:
        return False


def build_remote_server(post: FakeSmtpServer, user: str = "") -> SmtpServer:
    server = SmtpServer.from_url(post.url)
    return RemoteServer(server.scheme, server.host, server.port, user, "right/word")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with (
        run_smtp_server(tls_context=build_server_tls(tmp_path)) as post,
        pytest.raises(DeliveryFailed) as trouble,
    ):
        send_email(build_remote_server(post))

    assert trouble.value.stage is SmtpStage.OPENING
    assert trouble.value.fault is MailFault.CERTIFICATE_UNTRUSTED


def test_no_password_goes_over_a_plain_line_to_another_machine() -> None:
    post = FakeSmtpServer()
    with (
        run_smtp_server(
            post,
            authenticator=post.authenticate,
            auth_require_tls=False,
        ),
        pytest.raises(DeliveryFailed) as trouble,
    ):
        send_email(build_remote_server(post, user="runs"))

    assert post.users == []
    assert trouble.value.stage is SmtpStage.OPENING


def test_no_mail_goes_over_a_plain_line_to_another_machine() -> None:
    with (
        run_smtp_server() as post,
        SmtpConnection(build_remote_server(post), sender=SENDER, timeout_s=5) as line,
    ):
        for _ in range(2):  # the first attempt leaves no open line to the second
            with pytest.raises(DeliveryFailed, match="opening") as trouble:
                line.send(build_email(), recipient="sam@example.org")
            assert trouble.value.fault is MailFault.NO_STARTTLS

    assert (post.raw_mails, post.recipients) == ([], [])


def test_it_goes_if_that_was_wished_for() -> None:
    with run_smtp_server() as post:
        send_email(replace(build_remote_server(post), is_plain=True))

    assert len(post.raw_mails) == 1


@pytest.mark.parametrize("host", ["mail.example", "10.0.0.2", "mail"])
def test_that_wish_is_for_no_password(host: str) -> None:
    with pytest.raises(NotConfigured, match="there is no password") as refused:
        SmtpServer.from_url(f"smtp://runs:right%2Fword@{host}:25?tls=off")

    assert "right" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.2", True), ("localhost", True), ("::1", True), ("10.0.0.1", False)],
)
def test_this_machine_is_known_by_all_its_addresses(host: str, is_local: bool) -> None:
    assert SmtpServer("smtp", host, 25).is_local is is_local


def test_a_server_without_sign_in_is_trouble_of_the_opening() -> None:
    with run_smtp_server() as post, pytest.raises(DeliveryFailed) as trouble:
        send_email(SmtpServer.from_url(post.url.replace("//", "//runs:word@")))

    assert trouble.value.stage is SmtpStage.OPENING


def test_an_address_the_server_cannot_take_is_undelivered() -> None:
    with run_smtp_server(enable_SMTPUTF8=False) as post, pytest.raises(DeliveryFailed):
        send_email(SmtpServer.from_url(post.url), to="jürgen@example.org")


def test_after_a_dropped_line_the_next_mail_opens_another() -> None:
    post = FakeSmtpServer(drops_after_data=True)
    with (
        run_smtp_server(post),
        SmtpConnection(
            SmtpServer.from_url(post.url), sender=SENDER, timeout_s=5
        ) as line,
    ):
        with pytest.raises(DeliveryFailed):
            line.send(build_email(), recipient="sam@example.org")
        post.drops_after_data = False
        line.send(build_email(), recipient="sam@example.org")

    assert post.connections == 2


def test_after_421_the_next_mail_opens_another() -> None:
    post = FakeSmtpServer(content_reply="421 4.3.2 shutting down")
    with (
        run_smtp_server(post),
        SmtpConnection(
            SmtpServer.from_url(post.url), sender=SENDER, timeout_s=5
        ) as line,
    ):
        with pytest.raises(DeliveryFailed) as trouble:
            line.send(build_email(), recipient="sam@example.org")
        post.content_reply = "250 OK"
        line.send(build_email(), recipient="sam@example.org")

    assert (trouble.value.stage, trouble.value.code) == (SmtpStage.CONTENT, 421)
    assert post.connections == 2


def test_a_server_that_is_gone_at_the_end_does_no_harm() -> None:
    with run_smtp_server() as post:
        line = SmtpConnection(SmtpServer.from_url(post.url), sender=SENDER, timeout_s=1)
        opened = line.__enter__().open()
    assert isinstance(opened, SMTP)

    line.__exit__(None, None, None)


def drip(connection: socket) -> None:
    """Greet by one letter at a time, each soon enough for a timeout of its own."""
    for letter in "220 mail.example is here\r\n" * 100:
        connection.sendall(letter.encode())
        sleep(0.05)


def drip_lines(connection: socket) -> None:
    while True:
        connection.sendall(b"220-more to come\r\n")
        sleep(0.05)


def pour(connection: socket) -> None:
    """Greet without end, as fast as it goes."""
    while True:
        connection.sendall(b"220-more to come\r\n" * 100)


@pytest.mark.parametrize(
    ("talk", "fault"),
    [
        (drip, MailFault.ANSWER_TIMED_OUT),
        (drip_lines, MailFault.ANSWER_TIMED_OUT),
        (pour, MailFault.NOT_SMTP),
    ],
)
def test_a_server_whose_answer_never_ends_is_given_up(
    talk: Talk, fault: MailFault
) -> None:
    with run_server(talk) as port, pytest.raises(DeliveryFailed) as failure:
        send_email(SmtpServer("smtp", HOST, port), timeout_s=0.5)

    assert failure.value.fault is fault


def test_a_mail_takes_no_longer_than_its_whole_conversation_may() -> None:
    """An answer would come in time, and the mail is not out in time."""
    post = FakeSmtpServer(before_reply=lambda: sleep(1.5))
    with (
        run_smtp_server(post),
        SmtpConnection(
            SmtpServer.from_url(post.url),
            sender=SENDER,
            timeout_s=5,
            conversation_s=1.0,
        ) as line,
    ):
        with pytest.raises(DeliveryFailed) as failure:
            line.send(build_email(), recipient="sam@example.org")
        post.before_reply = lambda: None
        line.send(build_email(), recipient="sam@example.org")

    assert failure.value.fault is MailFault.ANSWER_TIMED_OUT
