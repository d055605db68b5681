"""What the figures say reaches the dashboard in their own words."""

from datetime import datetime, timedelta

import pytest

from sync.crypto import Vault
from sync.models import Answer, Run, Runner
from sync.runtime import Runtime
from tests.web.conftest import Browser
from web.dashboard.findings import split


def give_history(
    runtime: Runtime, runner_id: int, moods: list[int], km: list[int]
) -> None:
    """Store one answered run a day, the last one yesterday."""
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        vault = runtime.sealer.vault(runner.vault_key)
        first = runtime.now() - timedelta(days=len(moods))
        for day, mood in enumerate(moods):
            at = first + timedelta(days=day)
            run = run_of(runner_id, day, at=at, distance_m=1000.0 * km[day % len(km)])
            session.add(run)
            session.flush()
            session.add(answer_to(run, mood, vault, at=at + timedelta(hours=1)))
        runner.data_version += 1


def run_of(runner_id: int, number: int, *, at: datetime, distance_m: float) -> Run:
    return Run(
        runner_id=runner_id,
        source="strava",
        source_id=number,
        sport="Run",
        started_at=at,
        start_known=True,
        offset_s=0,
        local_day=at.date(),
        distance_m=distance_m,
        moving_s=1800,
        elapsed_s=1800,
        treadmill=False,
        manual=False,
        race=False,
        with_others=False,
        visibility="everyone",
        fetched_at=at,
    )


def answer_to(run: Run, mood: int, vault: Vault, *, at: datetime) -> Answer:
    return Answer(
        runner_id=run.runner_id,
        run_id=run.id,
        kind="run",
        instrument="run-1",
        reversed_order=False,
        answered_at=at,
        minutes_since_end=30,
        tags={},
        sealed=vault.seal({"mood": mood}),
    )


def test_with_enough_answers_the_figures_speak(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    give_history(runtime, runner_id, moods=[0, 1, 1, 2, 0, -1] * 8, km=[5, 8, 12, 7])

    page = browser.open("/dashboard").text

    assert "No clear link so far" in page
    assert "How sure is this?" in page
    assert 'class="trend"' in page
    assert "The line is your typical mood" in page
    assert "Mood after runs and at check-ins" in page


def test_three_awful_answers_in_a_row_name_people_to_talk_to(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    give_history(runtime, runner_id, moods=[0, -2, -2, -2], km=[5])

    page = browser.open("/dashboard").text

    assert "Your last answers were mostly low." in page
    assert "findahelpline.com" in page


@pytest.mark.parametrize(
    ("sentence", "title", "text"),
    [
        ("Not enough yet: 7 of 15 runs.", "Not enough yet: 7 of 15 runs.", ""),
        (
            "You may feel better in weeks of 5–9 km. It may still be chance.",
            "You may feel better in weeks of 5–9 km.",
            "It may still be chance.",
        ),
        (
            "You tended to feel best: Good or Great after 8 %. It does not tell why.",
            "You tended to feel best.",
            "Good or Great after 8\N{NO-BREAK SPACE}%. It does not tell why.",
        ),
    ],
)
def test_a_sentence_becomes_a_title_and_the_rest(
    sentence: str, title: str, text: str
) -> None:
    assert split(sentence) == (title, text)
