"""The longer look's own line, beside the distance of the 28 days up to each day."""

from sync.runners import preferences
from sync.runtime import Runtime
from tests.support.export_fixtures import with_retention_limit
from tests.support.harness import Harness
from tests.web.conftest import PageClient
from web.app import create_app

FIVE = {f"who5_{number}": "3" for number in range(1, 6)}


def test_the_own_line_stands_over_the_distance_of_28_days(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    preferences.save_preferences(runtime, runner_id, {"wellbeing": True})
    browser.post("/wellbeing", **FIVE)
    harness.advance_clock(weeks=5)
    browser.sign_in(runner_id)
    browser.post("/wellbeing", **dict.fromkeys(FIVE, "4"))

    page = browser.open("/wellbeing").text
    lines = browser.open("/wellbeing/own-line.csv").text.splitlines()

    assert "2 answers, from 0 to 100: 60 at the start" in page
    assert "up to the first: 8.2\N{NO-BREAK SPACE}km; up to the last: 0" in page
    assert page.count('class="point"') == page.count('class="whisker"') == 1
    assert lines[0] == "local_date,own_line_0_to_100,distance_28d_m"
    assert [line.split(",")[1:] for line in lines[1:]] == [
        ["60", "8200.0"],
        ["80", "0.0"],
    ]


def test_where_runs_do_not_stay_the_own_line_stands_alone(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    preferences.save_preferences(runtime, runner_id, {"wellbeing": True})
    browser.post("/wellbeing", **FIVE)
    limited = PageClient(
        create_app(with_retention_limit(runtime)).test_client(), runtime
    )
    limited.sign_in(runner_id)

    page = limited.open("/wellbeing").text

    assert "Your answers, from 0 to 100." in page
    assert "<td>60</td>" in page
    assert 'class="whisker"' not in page
    assert limited.open("/wellbeing/own-line.csv").text.endswith(",60,\r\n")
