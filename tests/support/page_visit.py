"""Opening a page of the stage in a real browser, with an eye on what it does."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Request

from sync.runners import sign_in
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import Fixture
from sync.vocabulary import SignInMethod


@dataclass
class PageWeight:
    """What a page asked for, and how many bytes came over the line."""

    urls: list[str] = field(default_factory=list)
    total: int = 0
    scripts: int = 0

    def add(self, request: Request) -> None:
        size = request.sizes()["responseBodySize"]
        self.urls.append(request.url)
        self.total += size
        if request.resource_type == "script":
            self.scripts += size


@contextmanager
def open_phone(
    chrome: Browser, site: str, fixture: Fixture, runtime: Runtime
) -> Generator[Page]:
    """Lend a phone that is signed in as the scene's runner; no page is open yet."""
    context = chrome.new_context(viewport={"width": 390, "height": 844})
    if fixture.runner_id is not None:
        name = f"moodmiles-{site.rpartition(':')[2]}"
        token = sign_in.sign_in(runtime, fixture.runner_id, method=SignInMethod.STRAVA)
        context.add_cookies([{"name": name, "value": token, "url": site}])
    yield context.new_page()
    context.close()


@contextmanager
def open_page(
    chrome: Browser, site: str, fixture: Fixture, runtime: Runtime
) -> Generator[tuple[Page, PageWeight]]:
    """Open the scene's page on a phone; whatever the browser complains of fails."""
    weight, complaints = PageWeight(), list[str]()
    with open_phone(chrome, site, fixture, runtime) as page:
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfinished", weight.add)
        answer = page.goto(f"{site}{fixture.path}", wait_until="networkidle")
        assert answer
        is_failure = fixture.path.startswith("/states/")
        assert (answer.status >= 500) == is_failure, answer.status
        yield page, weight
    # The browser reports the page's own status, such as 404, as an error.
    own_status = f"status of {answer.status}"
    assert [complaint for complaint in complaints if own_status not in complaint] == []
    assert [url for url in weight.urls if not url.startswith((site, "data:"))] == []
