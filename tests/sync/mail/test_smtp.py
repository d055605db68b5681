"""The line to the mail server: secured where it can be, never a password in clear."""

from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP

import pytest
from typing_extensions import override

from sync.errors import NotConfigured
from sync.mail.delivery_rules import Stage
from sync.mail.smtp import Server, SmtpLine, Undelivered
from tests.support.smtp_servers import Post, listening, server_tls

SENDER = "Moodmiles <runs@mail.moodmiles.example>"


def letter() -> EmailMessage:
    letter = EmailMessage()
    letter["To"] = "sam@example.org"
    letter.set_content("Hello")
    return letter


def send(server: Server, *, to: str = "sam@example.org", timeout_s: float = 5) -> None:
    with SmtpLine(server, sender=SENDER, timeout_s=timeout_s) as line:
        line.send(letter(), recipient=to)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("smtp", "mail.example", 587)),
        ("smtps://mail.example", Server("smtps", "mail.example", 465)),
        ("smtp://127.0.0.1:2525", Server("smtp", "127.0.0.1", 2525)),
        (
            "smtp://runs%40example.org:p%2Fw%3A1@mail.example:25",
            Server("smtp", "mail.example", 25, "runs@example.org", "p/w:1"),
        ),
    ],
)
def test_the_address_of_a_server(url: str, server: Server) -> None:
    assert Server.from_url(url) == server


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://m:port"]
)
def test_a_wrong_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(NotConfigured, match="MOODMILES_SMTP_URL must look like"):
        Server.from_url(url)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Server.from_url("smtp://me:secret@mail.example"))


def test_credentials_go_over_starttls(tmp_path: Path) -> None:
    post = Post()
    with listening(
        post,
        tls_context=server_tls(tmp_path),
        authenticator=post.authenticate,
        auth_required=True,
    ):
        send(Server.from_url(post.url.replace("//", "//runs:right%2Fword@")))

    assert post.users == [b"runs"]
    assert len(post.taken) == 1


def test_a_server_may_speak_tls_from_the_first_byte(tmp_path: Path) -> None:
    with listening(ssl_context=server_tls(tmp_path)) as post:
        send(Server.from_url(post.url.replace("smtp://", "smtps://")))

    assert len(post.taken) == 1


class Afar(Server):
    """The same server, as if it stood elsewhere."""

    @property
    @override
    def is_local(self) -> bool:
        return False


def afar(post: Post, user: str = "") -> Server:
    near = Server.from_url(post.url)
    return Afar(near.scheme, near.host, near.port, user, "right/word")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with (
        listening(tls_context=server_tls(tmp_path)) as post,
        pytest.raises(Undelivered) as trouble,
    ):
        send(afar(post))

    assert trouble.value.stage is Stage.OPENING
    assert trouble.value.text == "SSLCertVerificationError"


def test_no_password_goes_over_a_plain_line_to_another_machine() -> None:
    post = Post()
    with (
        listening(
            post,
            authenticator=post.authenticate,
            auth_require_tls=False,
        ),
        pytest.raises(Undelivered) as trouble,
    ):
        send(afar(post, user="runs"))

    assert post.users == []
    assert trouble.value.stage is Stage.OPENING


def test_a_server_without_sign_in_is_trouble_of_the_opening() -> None:
    with listening() as post, pytest.raises(Undelivered) as trouble:
        send(Server.from_url(post.url.replace("//", "//runs:word@")))

    assert trouble.value.stage is Stage.OPENING


def test_an_address_the_server_cannot_take_is_undelivered() -> None:
    with listening(enable_SMTPUTF8=False) as post, pytest.raises(Undelivered):
        send(Server.from_url(post.url), to="jürgen@example.org")


def test_after_a_dropped_line_the_next_mail_opens_another() -> None:
    post = Post(drops_after_data=True)
    with (
        listening(post),
        SmtpLine(Server.from_url(post.url), sender=SENDER, timeout_s=5) as line,
    ):
        with pytest.raises(Undelivered):
            line.send(letter(), recipient="sam@example.org")
        post.drops_after_data = False
        line.send(letter(), recipient="sam@example.org")

    assert post.connections == 2


def test_after_421_the_next_mail_opens_another() -> None:
    post = Post(on_content="421 4.3.2 shutting down")
    with (
        listening(post),
        SmtpLine(Server.from_url(post.url), sender=SENDER, timeout_s=5) as line,
    ):
        with pytest.raises(Undelivered) as trouble:
            line.send(letter(), recipient="sam@example.org")
        post.on_content = "250 OK"
        line.send(letter(), recipient="sam@example.org")

    assert (trouble.value.stage, trouble.value.code) == (Stage.CONTENT, 421)
    assert post.connections == 2


def test_a_server_that_is_gone_at_the_end_does_no_harm() -> None:
    with listening() as post:
        line = SmtpLine(Server.from_url(post.url), sender=SENDER, timeout_s=1)
        opened = line.__enter__().open()
    assert isinstance(opened, SMTP)

    line.__exit__(None, None, None)
