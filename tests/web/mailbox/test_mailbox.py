"""The embedded mailbox as a newcomer sees it, and as nobody else may."""

from collections.abc import Generator
from email.message import EmailMessage
from html import unescape
from mailbox import Maildir
from pathlib import Path
from re import findall, search
from typing import Any

import pytest
from flask.testing import FlaskClient

from sync.runtime import build
from sync.settings import Settings
from web.app import create_app

KEY = "a key for tests that is long enough"


def build_client(data_dir: Path, **changes: Any) -> FlaskClient:
    values = {
        "data_dir": data_dir,
        "secret_keys": KEY,
        "mailbox_dir": data_dir / "mailbox",
        "public_url": "http://127.0.0.1:8000",
    }
    settings = Settings.model_validate(values | changes)
    return create_app(build(settings)).test_client()


@pytest.fixture
def client(tmp_path: Path) -> Generator[FlaskClient]:
    with build_client(tmp_path) as client:
        yield client


def add_mail(data_dir: Path, subject: str = "How do you feel?") -> str:
    email = EmailMessage()
    email["From"] = "Moodmiles <runs@mail.example>"
    email["To"] = "sam@example.org"
    email["Subject"] = subject
    email.set_content("Good: http://127.0.0.1:8000/s/token?m=4\n")
    email.add_alternative(
        '<p style="color:red">Hi <script>alert(1)</script>'
        '<a href="http://127.0.0.1:8000/s/token?m=4">Good</a></p>',
        subtype="html",
    )
    return Maildir(data_dir / "mailbox").add(email)


def test_an_empty_mailbox_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/mailbox")

    assert page.status_code == 200
    assert "Nothing here yet" in page.text


def test_the_list_leads_to_each_mail(client: FlaskClient, tmp_path: Path) -> None:
    add_mail(tmp_path, "First <b>")
    add_mail(tmp_path, "Second")

    page = client.get("/mailbox").text
    links = findall(r'href="(/mailbox/[^"]+)"', page.split("email-list")[1])

    assert page.index("Second") < page.index("First &lt;b&gt;")
    assert [client.get(unescape(link)).status_code for link in links] == [200, 200]


def test_search_shows_only_what_was_found(client: FlaskClient, tmp_path: Path) -> None:
    add_mail(tmp_path, "First")
    add_mail(tmp_path, "Second")

    assert "Second" not in client.get("/mailbox?q=first").text
    assert "No mail holds “&lt;x&gt;”" in client.get("/mailbox?q=<x>").text


def test_the_mails_own_html_is_locked_into_a_frame(
    client: FlaskClient, tmp_path: Path
) -> None:
    key = add_mail(tmp_path)

    outer, inner = client.get(f"/mailbox/{key}"), client.get(f"/mailbox/{key}/html")

    frame = search(r"<iframe[^>]+>", outer.text)
    assert frame is not None
    assert "allow-scripts" not in frame[0]
    assert f'src="/mailbox/{key}/html"' in frame[0]
    assert "frame-src 'self'" in outer.headers["Content-Security-Policy"]
    policy = inner.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert "X-Frame-Options" not in inner.headers


def test_links_in_a_mail_leave_the_frame(client: FlaskClient, tmp_path: Path) -> None:
    key = add_mail(tmp_path)

    html = client.get(f"/mailbox/{key}/html").text

    assert '<a target="_top" href="http://127.0.0.1:8000/s/token?m=4">' in html


def test_the_text_view_has_links_too(client: FlaskClient, tmp_path: Path) -> None:
    key = add_mail(tmp_path)

    text = client.get(f"/mailbox/{key}?view=text").text

    assert 'href="http://127.0.0.1:8000/s/token?m=4"' in text
    assert "<iframe" not in text


def test_the_headers_are_shown_as_they_came(
    client: FlaskClient, tmp_path: Path
) -> None:
    key = add_mail(tmp_path)

    headers = unescape(client.get(f"/mailbox/{key}?view=headers").text)

    assert "From: Moodmiles <runs@mail.example>" in headers


def test_clearing_needs_our_own_form(client: FlaskClient, tmp_path: Path) -> None:
    add_mail(tmp_path)
    field = search(r'name="csrf" value="(\w+)"', client.get("/mailbox").text)
    assert field is not None

    refused = client.post("/mailbox/clear")
    assert refused.status_code == 403
    assert "How do you feel?" in client.get("/mailbox").text

    done = client.post("/mailbox/clear", data={"csrf": field[1]})
    assert done.status_code == 303
    assert "Nothing here yet" in client.get("/mailbox").text


@pytest.mark.parametrize("path", ["/mailbox/nothing", "/mailbox/nothing/html"])
def test_an_unknown_mail_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("public_url", "mailbox"),
    [("https://moodmiles.example", True), ("http://127.0.0.1:8000", False)],
)
@pytest.mark.parametrize("path", ["", "/any", "/any/html", "/static/mailbox.css"])
def test_there_is_no_mailbox_where_others_could_read_it(
    tmp_path: Path, public_url: str, mailbox: bool, path: str
) -> None:
    folder = tmp_path / "mailbox" if mailbox else None
    client = build_client(tmp_path, public_url=public_url, mailbox_dir=folder)

    answer = client.get(f"/mailbox{path}", base_url=public_url)

    assert answer.status_code == 404
