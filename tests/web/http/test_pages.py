"""What all pages share: words, files, the way to help, and the demo's parts."""

from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sync.runtime import Runtime
from tests.sync.analytics.test_claim_wording import find_forbidden
from tests.web.conftest import PageClient
from tests.web.http.test_headers import open_other_app

WEB = Path("web")
STATIC = WEB / "static"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SOURCES = sorted(WEB.rglob("*.py"))
FONT = "4ba7d3d096695818fe0686be4f1e82c6b05134e18a22260336130335027462dd"
PUBLIC = ("/", "/connect", "/login", "/help", "/privacy", "/nowhere", "/s/unknown")


@pytest.mark.parametrize("path", [*TEMPLATES, *SOURCES], ids=str)
def test_no_page_claims_more_than_it_can_know(path: Path) -> None:
    assert find_forbidden(path.read_text()) == []


@pytest.mark.parametrize("path", PUBLIC)
def test_someone_to_talk_to_is_never_far(client: FlaskClient, path: str) -> None:
    page = client.get(path).text

    assert 'href="/help"' in page
    assert "Powered by Strava" in page
    assert '<html lang="en">' in page
    assert page.count("<h1>") == 1


def test_the_font_is_the_one_we_know_and_carries_its_licence() -> None:
    font = (STATIC / "figtree.woff2").read_bytes()

    assert sha256(font).hexdigest() == FONT
    assert f"figtree.woff2?v={FONT[:12]}" in (STATIC / "app.css").read_text()
    assert "SIL Open Font License" in (STATIC / "figtree-OFL.txt").read_text()


def test_the_script_stays_small() -> None:
    assert (STATIC / "app.js").stat().st_size < 6 * 1024


def test_every_file_that_a_page_names_is_there(client: FlaskClient) -> None:
    page = client.get("/").text

    names = [part.split('"')[0] for part in page.split('"/static/')[1:]]
    assert len(names) >= 3
    for name in names:
        with client.get(f"/static/{name}") as answer:
            assert answer.status_code == 200


def test_a_phone_can_install_it(client: FlaskClient) -> None:
    answer = client.get("/manifest.webmanifest")

    assert answer.mimetype == "application/manifest+json"
    assert answer.json
    assert answer.json["name"] == "Moodmiles"


def test_the_demo_shows_where_its_parts_are(runtime: Runtime, tmp_path: Path) -> None:
    demo = open_other_app(runtime, mailbox_dir=tmp_path).get("/").text
    public = open_other_app(
        runtime, mailbox_dir=tmp_path, public_url="https://moodmiles.example"
    ).get("/")

    assert "Demo parts:" in demo
    assert f'href="{runtime.settings.strava_site_url}"' in demo
    assert "Demo parts:" not in public.text


@pytest.mark.usefixtures("runner_id")
def test_the_start_page_leads_runners_to_their_own(browser: PageClient) -> None:
    assert browser.open("/").location == "/dashboard"


def test_the_privacy_page_follows_the_settings(runtime: Runtime) -> None:
    strict = open_other_app(
        runtime, strava_retention_days=7, mail_from="Mo <mo@host.example>"
    )

    page = strict.get("/privacy").text

    assert "7 days at most" in page
    assert "mailto:mo@host.example" in page


def test_the_privacy_page_names_who_runs_it_and_where_to_write(
    runtime: Runtime,
) -> None:
    theirs = open_other_app(
        runtime, contact="https://run.example/contact", operator="Ada <L.>, Berlin"
    )

    page = theirs.get("/privacy").text

    assert "Ada &lt;L.&gt;, Berlin" in page
    assert 'href="https://run.example/contact"' in page
    assert "at most 30 days" in page


def test_whoever_finds_a_weakness_learns_where_to_report_it(
    client: FlaskClient, runtime: Runtime
) -> None:
    theirs = open_other_app(runtime, contact="safety@run.example")

    said = theirs.get("/.well-known/security.txt")

    assert said.content_type.startswith("text/plain")
    assert "Contact: mailto:safety@run.example\n" in said.text
    assert "Expires: " in said.text
    assert client.get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused_with_a_page(
    client: FlaskClient, method: str
) -> None:
    answer = client.open("/help", method=method)

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "That does not work here." in answer.text
