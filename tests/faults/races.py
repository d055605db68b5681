"""The races: what happens at once, and what must hold behind it.

Every rule that is checked and then written has a line here.  A race prepares its own
runners, so that it can be run as often as one likes on the same tables.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from host import subscription as host_subscription
from sync import digest
from sync.inbox import handle
from sync.inbox.event import WebhookDelivery
from sync.inbox.receive import receive_delivery
from sync.models import (
    Answer,
    CheckinDraw,
    Connection,
    Consent,
    Decision,
    Event,
    Export,
    Mail,
    MailLink,
    Run,
    Runner,
    SignIn,
    Subscription,
    Survey,
)
from sync.portability import exports
from sync.portability.import_runner import import_runner
from sync.portability.pack import pack_export
from sync.runners import (
    account,
    address,
    deletion,
    disconnect,
    inactivity,
    preferences,
    sign_in,
)
from sync.runners.store import has_consent
from sync.runners.tokens import get_access_token
from sync.simulator import grants
from sync.surveys import unsubscribe
from sync.surveys.answering import answer, pre_run
from sync.surveys.sending import checkins, decide_runs
from sync.vocabulary import AnswerKind, ConsentKind, MailKind, RunSource
from tests.faults.race_stage import ActOutcome, Contest, RaceStage
from tests.support.clock import ManualClock
from tests.support.harness import SCOPE
from tests.support.outbox_reader import read_pending_token

Race: TypeAlias = Callable[[RaceStage], Contest]
ActOutcomes: TypeAlias = Sequence[ActOutcome]

OK, GONE = 200, 410


def count_rows(session: Session, table: type, *conditions: object) -> int:
    statement = select(func.count()).select_from(table).where(*conditions)  # type: ignore[arg-type]
    return session.scalar(statement) or 0


def expect(found: object, wanted: object, what: str) -> list[str]:
    return [] if found == wanted else [f"{what}: {found} instead of {wanted}"]


def count_results(outcomes: ActOutcomes, *results: object) -> int:
    return sum(outcome.result in results for outcome in outcomes)


def race_first_links(stage: RaceStage) -> Contest:
    """Six browsers come back from Strava with one athlete whom nobody knows yet."""
    athlete = stage.add_athlete()
    boxes = {"strava": "1", "mood": "1", "adult": "1"}
    acts = []
    for browser in stage.open_browsers(6):
        location = browser.send("/connect", **boxes).location
        state = parse_qs(urlsplit(location).query)["state"][0]
        with stage.harness.world.transaction():
            code = grants.issue_code(stage.harness.world, athlete.id, SCOPE)
        url = f"/connect/callback?state={state}&code={code}&scope={SCOPE}"
        acts.append(partial(browser.get, url))

    def find_breaks(session: Session, outcomes: ActOutcomes) -> list[str]:
        runner_ids = session.scalars(
            select(Runner.id).where(Runner.athlete_id == athlete.id)
        ).all()
        consents = session.scalars(
            select(Consent.kind).where(Consent.runner_id.in_(runner_ids))
        ).all()
        linked = count_rows(session, Connection, Connection.runner_id.in_(runner_ids))
        signed_in = count_rows(session, SignIn, SignIn.runner_id.in_(runner_ids))
        return [
            *expect(len(runner_ids), 1, "runners of one athlete"),
            *expect(linked, 1, "links"),
            *expect(sorted(consents), sorted(set(consents)), "consents"),
            *expect(signed_in, count_results(outcomes, 302), "sign-ins"),
        ]

    return Contest(acts, find_breaks)


def race_one_callback(stage: RaceStage) -> Contest:
    """One way back from Strava is taken six times, in tabs of one browser."""
    athlete = stage.add_athlete()
    stage.add_runner(athlete)
    tabs = stage.open_tabs(6)
    location = tabs[0].send("/connect/again").location
    state = parse_qs(urlsplit(location).query)["state"][0]
    with stage.harness.world.transaction():
        code = grants.issue_code(stage.harness.world, athlete.id, SCOPE)
    url = f"/connect/callback?state={state}&code={code}&scope={SCOPE}"

    def find_breaks(_session: Session, outcomes: ActOutcomes) -> list[str]:
        return expect(count_results(outcomes, 302), 1, "sign-ins with one state")

    return Contest([partial(tab.get, url) for tab in tabs], find_breaks)


def race_first_answers(stage: RaceStage) -> Contest:
    """One run is answered six times: by its page, by the dashboard, by the mail."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, run_id = stage.add_run(athlete)
    token = read_pending_token(stage.runtime)
    first, second, third, fourth, fifth, sixth = stage.open_browsers(6, runner_id)
    return Contest(
        [
            partial(first.post, f"/runs/{run_id}", mood=1),
            partial(second.post, f"/runs/{run_id}", mood=2, stress=1),
            partial(third.post, "/dashboard/answer", run_id=run_id, mood=3),
            partial(fourth.post, "/dashboard/answer", run_id=run_id, mood=4),
            partial(fifth.post, f"/s/{token}", mood=5),
            partial(sixth.post, f"/s/{token}", mood=1),
        ],
        lambda session, outcomes: [
            *expect(
                count_rows(session, Answer, Answer.runner_id == runner_id),
                1,
                "answers to one run",
            ),
            *expect(
                count_results(outcomes, 200, 302, 303), 6, "answers that were taken"
            ),
        ],
    )


def race_changed_answers(stage: RaceStage) -> Contest:
    """Several questions about one answered run are answered at once: all stay."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, run_id = stage.add_run(athlete)
    answer.record_run_answer(
        stage.runtime, runner_id=runner_id, run_id=run_id, values={"mood": 1}
    )
    given = {"stress": 1, "company": 1, "place": 2, "race": 1}

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        stored = session.scalars(select(Answer).where(Answer.run_id == run_id)).one()
        vault_key = session.get_one(Runner, runner_id).vault_key
        values = stage.runtime.sealer.open_vault(vault_key).open(stored.sealed)
        return expect(values, {"mood": 1, **given}, "what an answer holds")

    return Contest(
        [
            partial(browser.post, f"/runs/{run_id}", **{name: value})
            for browser, (name, value) in zip(
                stage.open_browsers(4, runner_id), given.items(), strict=True
            )
        ],
        find_breaks,
    )


def race_answer_and_skip(stage: RaceStage) -> Contest:
    """Answer a survey and skip it: it is one or the other."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    stage.add_run(athlete)
    token = read_pending_token(stage.runtime)
    browsers = stage.open_browsers(4)

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        survey = session.scalars(
            select(Survey).where(Survey.runner_id == runner_id)
        ).one()
        answers = count_rows(session, Answer, Answer.runner_id == runner_id)
        is_skipped = survey.skipped_at is not None
        return expect(answers == 1, not is_skipped, "answered, and not skipped")

    return Contest(
        [
            partial(browsers[0].post, f"/s/{token}", mood=2),
            partial(browsers[1].post, f"/s/{token}/skip"),
            partial(browsers[2].post, f"/s/{token}/skip"),
            partial(browsers[3].post, f"/s/{token}", mood=4),
        ],
        find_breaks,
    )


def race_removed_answer(stage: RaceStage) -> Contest:
    """Remove an answer four times, and give it anew."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, run_id = stage.add_run(athlete)
    answer.record_run_answer(
        stage.runtime, runner_id=runner_id, run_id=run_id, values={"mood": 1}
    )
    *removers, giver = stage.open_browsers(5, runner_id)

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        vault = stage.runtime.sealer.open_vault(
            session.get_one(Runner, runner_id).vault_key
        )
        sealed = session.scalars(select(Answer.sealed).where(Answer.run_id == run_id))
        moods = [values["mood"] for values in vault.open_all(sealed.all())]
        return expect(moods in ([], [2]), True, "nothing, or the mood given anew")

    return Contest(
        [
            *(partial(one.post, f"/runs/{run_id}/remove") for one in removers),
            partial(giver.post, f"/runs/{run_id}", mood=5),
        ],
        find_breaks,
    )


def race_pre_run(stage: RaceStage) -> Contest:
    """Tap the bookmark eight times: one mood within ten minutes."""
    runner_id = stage.add_runner()
    token = pre_run.create_token(stage.runtime, runner_id)
    return Contest(
        [
            partial(browser.post, f"/before/{token}", mood=number % 5 + 1)
            for number, browser in enumerate(stage.open_browsers(8))
        ],
        lambda session, outcomes: [
            *expect(
                count_rows(
                    session,
                    Answer,
                    Answer.runner_id == runner_id,
                    Answer.kind == AnswerKind.PRE_RUN,
                ),
                1,
                "moods before a run",
            ),
            *expect(count_results(outcomes, 302, 303), 8, "taps that were taken"),
        ],
    )


def race_wellbeing(stage: RaceStage) -> Contest:
    """Answer the longer look six times: once in four weeks."""
    runner_id = stage.add_runner()
    preferences.save_preferences(stage.runtime, runner_id, {"wellbeing": True})
    values = {f"who5_{number}": 3 for number in range(1, 6)}
    return Contest(
        [
            partial(browser.post, "/wellbeing", **values)
            for browser in stage.open_browsers(6, runner_id)
        ],
        lambda session, _: expect(
            count_rows(
                session,
                Answer,
                Answer.runner_id == runner_id,
                Answer.kind == AnswerKind.WELLBEING,
            ),
            1,
            "answers in four weeks",
        ),
    )


def race_exports(stage: RaceStage) -> Contest:
    """Ask for an export six times, while two workers pack."""
    runner_id = stage.add_runner()
    return Contest(
        [
            *(
                partial(browser.post, "/settings/export")
                for browser in stage.open_browsers(6, runner_id)
            ),
            *(partial(exports.process_due, runtime) for runtime in stage.runtimes),
        ],
        lambda session, _: expect(
            count_rows(session, Export, Export.runner_id == runner_id),
            1,
            "exports of one runner",
        ),
    )


def race_one_address(stage: RaceStage) -> Contest:
    """Two runners say yes to one address, each of them twice."""
    acts = []
    runner_ids = [stage.add_runner(has_address=False) for _ in range(2)]
    shared_address = f"shared-{runner_ids[0]}@example.org"
    for runner_id in runner_ids:
        address.request_confirmation(
            stage.runtime, runner_id=runner_id, email=shared_address
        )
        token = read_pending_token(stage.runtime, MailKind.CONFIRM_ADDRESS)
        acts += [
            partial(browser.post, f"/email/confirm/{token}")
            for browser in stage.open_browsers(2, runner_id)
        ]

    def find_breaks(session: Session, outcomes: ActOutcomes) -> list[str]:
        owners = count_rows(
            session,
            Runner,
            Runner.email_hash.in_(stage.runtime.sealer.lookup_hashes(shared_address)),
        )
        most_consents = max(
            count_rows(
                session,
                Consent,
                Consent.runner_id == runner_id,
                Consent.kind == ConsentKind.MAIL,
                Consent.withdrawn_at.is_(None),
            )
            for runner_id in runner_ids
        )
        return [
            *expect(owners, 1, "runners with one address"),
            *expect(most_consents <= 1, True, "a consent each"),
            *expect(count_results(outcomes[:2], OK) <= 1, True, "once"),
            *expect(count_results(outcomes[2:], OK) <= 1, True, "once"),
        ]

    return Contest(acts, find_breaks)


def race_asked_addresses(stage: RaceStage) -> Contest:
    """One runner gives four addresses: only one link may still confirm one."""
    runner_id = stage.add_runner(has_address=False)
    return Contest(
        [
            partial(browser.post, "/email", email=f"r{runner_id}-{number}@example.org")
            for number, browser in enumerate(stage.open_browsers(4, runner_id))
        ],
        lambda session, _: expect(
            count_rows(
                session,
                MailLink,
                MailLink.runner_id == runner_id,
                MailLink.used_at.is_(None),
            ),
            1,
            "open links",
        ),
    )


def race_sign_in_link(stage: RaceStage) -> Contest:
    """Use a mailed link six times in the browser that asked for it."""
    runner_id = stage.add_runner()
    tabs = stage.open_tabs(6)
    cookie = tabs[0].client.get_cookie("moodmiles-browser", domain="127.0.0.1")
    assert cookie is not None
    email = f"runner{runner_id}@example.org"
    sign_in.enqueue_sign_in_link(stage.runtime, email=email, browser=cookie.value)
    token = read_pending_token(stage.runtime, MailKind.SIGN_IN_LINK)
    return Contest(
        [partial(tab.post, f"/login/{token}") for tab in tabs],
        lambda session, outcomes: [
            *expect(count_results(outcomes, 302, 303), 1, "sign-ins by one link"),
            *expect(count_results(outcomes, GONE), 5, "refusals"),
            *expect(
                count_rows(session, SignIn, SignIn.runner_id == runner_id), 1, "rows"
            ),
        ],
    )


def race_recordings(stage: RaceStage) -> Contest:
    """Each of two recordings is chosen twice: exactly one counts."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, first_id = stage.add_run(athlete)
    _, second_id = stage.add_run(athlete, manual=True)
    run_ids = [first_id, second_id] * 2
    return Contest(
        [
            partial(browser.post, f"/runs/{run_id}/count")
            for browser, run_id in zip(
                stage.open_browsers(4, runner_id), run_ids, strict=True
            )
        ],
        lambda session, _: expect(
            count_rows(session, Run, Run.runner_id == runner_id, Run.counted),
            1,
            "recordings that count",
        ),
    )


def race_settings(stage: RaceStage) -> Contest:
    """Different settings are saved at once, by page and by mail: all are kept."""
    runner_id = stage.add_runner()
    link = f"/u/{unsubscribe.create_token(stage.runtime, runner_id)}"
    before = {"checkins": True, "digest": True}
    preferences.save_preferences(stage.runtime, runner_id, before)
    mailers = stage.open_browsers(2)
    runtimes = stage.runtimes

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        now = session.get_one(Runner, runner_id).preferences
        found = (now.checkins, now.digest, now.units, now.country, now.language)
        return expect(found, (False, False, "mi", "DE", "de"), "settings")

    return Contest(
        [
            partial(mailers[0].post, f"{link}?only=checkins"),
            partial(mailers[1].post, f"{link}?only=digest"),
            partial(
                preferences.save_preferences, runtimes[0], runner_id, {"units": "mi"}
            ),
            partial(
                preferences.save_preferences, runtimes[1], runner_id, {"country": "DE"}
            ),
            partial(account.save_default_language, runtimes[0], runner_id, "de"),
        ],
        find_breaks,
    )


def race_stop_and_settings(stage: RaceStage) -> Contest:
    """Mails are stopped and wished for: the consent says the same as the settings."""
    runner_id = stage.add_runner()
    link = f"/u/{unsubscribe.create_token(stage.runtime, runner_id)}"
    browsers = stage.open_browsers(4, runner_id)
    wish = {"ask": "every-run", "quiet_from": "21:30", "quiet_until": "07:00"}

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        wants_mail = session.get_one(Runner, runner_id).preferences.wants_mail
        standing = count_rows(
            session,
            Consent,
            Consent.runner_id == runner_id,
            Consent.kind == ConsentKind.MAIL,
            Consent.withdrawn_at.is_(None),
        )
        return expect(standing, int(wants_mail), "consents to the mails that are sent")

    return Contest(
        [
            partial(browsers[0].post, link),
            partial(browsers[1].post, "/settings", **wish),
            partial(browsers[2].post, link),
            partial(browsers[3].post, "/settings", **wish),
        ],
        find_breaks,
    )


def race_focus(stage: RaceStage) -> Contest:
    """Four extra questions are chosen: one holds, for eight weeks."""
    runner_id = stage.add_runner()
    focuses = ("effort", "presence", "progress", "clarity")
    return Contest(
        [
            partial(
                preferences.save_preferences,
                stage.runtimes[number % 2],
                runner_id,
                {"focus": focus},
            )
            for number, focus in enumerate(focuses)
        ],
        lambda _session, outcomes: expect(
            sum(outcome.error is None for outcome in outcomes), 1, "choices taken"
        ),
    )


def race_consents(stage: RaceStage) -> Contest:
    """Give and renew a consent several times at once."""
    runner_id = stage.add_runner(scope=f"{SCOPE},activity:read_all")
    runtime = stage.runtime
    with runtime.db.transaction() as session:
        session.execute(
            update(Consent)
            .where(Consent.runner_id == runner_id)
            .values(version="2025-01")
        )
    boxes = dict.fromkeys(("strava", "mood", "mail", "adult", "private"), "1")

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        rows = session.execute(
            select(Consent.kind, Consent.version).where(
                Consent.runner_id == runner_id, Consent.withdrawn_at.is_(None)
            )
        ).all()
        return expect(sorted(map(str, rows)), sorted(map(str, set(rows))), "consents")

    browsers = stage.open_browsers(6, runner_id)
    return Contest(
        [
            *(partial(one.post, "/settings/consents", **boxes) for one in browsers[:3]),
            *(
                partial(one.post, "/settings/consents/private/given", private="1")
                for one in browsers[3:]
            ),
        ],
        find_breaks,
    )


def race_withdrawal_and_answers(stage: RaceStage) -> Contest:
    """Take back the consent to store moods while moods come in: none stays."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, run_id = stage.add_run(athlete)
    token = read_pending_token(stage.runtime)
    bookmark = pre_run.create_token(stage.runtime, runner_id)
    browsers = stage.open_browsers(6, runner_id)

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        answers = count_rows(session, Answer, Answer.runner_id == runner_id)
        may_ask = not session.get_one(Runner, runner_id).preferences.is_asking_stopped
        return [
            *expect(answers, 0, "answers without consent"),
            *expect(
                has_consent(session, runner_id, ConsentKind.MOOD), may_ask, "asked"
            ),
        ]

    return Contest(
        [
            partial(browsers[0].post, f"/runs/{run_id}", mood=1),
            partial(browsers[1].post, f"/s/{token}", mood=2),
            partial(browsers[2].post, "/settings/consents/mood"),
            partial(browsers[3].post, f"/before/{bookmark}", mood=3),
            partial(browsers[4].post, "/settings/consents/mood"),
            partial(browsers[5].post, "/dashboard/answer", run_id=run_id, mood=3),
        ],
        find_breaks,
    )


def race_leaving(stage: RaceStage) -> Contest:
    """Export, disconnecting, deleting and undoing, all at once."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    stage.add_run(athlete)
    browsers = stage.open_browsers(6, runner_id)

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        runner = session.get_one(Runner, runner_id)
        from_strava = count_rows(
            session,
            Run,
            Run.runner_id == runner_id,
            Run.source == RunSource.STRAVA,
        )
        linked = count_rows(session, Connection, Connection.runner_id == runner_id)
        undo_links = count_rows(session, MailLink, MailLink.runner_id == runner_id)
        return [
            *expect(runner.leaving_for, None, "a removal that nobody finishes"),
            *expect((runner.athlete_id, from_strava, linked), (None, 0, 0), "Strava's"),
            *expect(undo_links == 1, runner.erase_at is not None, "a link to undo"),
        ]

    return Contest(
        [
            partial(browsers[0].post, "/settings/export"),
            partial(browsers[1].post, "/settings/disconnect"),
            partial(browsers[2].post, "/settings/delete"),
            partial(browsers[3].post, "/settings/delete/undo"),
            partial(browsers[4].post, "/settings/disconnect"),
            partial(browsers[5].post, "/settings/delete"),
        ],
        find_breaks,
    )


def race_undo(stage: RaceStage) -> Contest:
    """Undo a deletion by the link and by the page, while a worker removes.

    The worker's clock is a little ahead: to it the time to undo is over.
    """
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    deletion.request_deletion(stage.runtime, runner_id)
    token = read_pending_token(stage.runtime, MailKind.UNDO)
    browsers = stage.open_browsers(3, runner_id)
    ahead = ManualClock(stage.now() + deletion.UNDO_WINDOW)
    worker = stage.runtime_at(stage.runtimes[1], ahead)

    def find_breaks(session: Session, outcomes: ActOutcomes) -> list[str]:
        runner = session.get(Runner, runner_id)
        is_kept = count_results(outcomes[1:], OK) > 0
        if runner is None:
            return expect(is_kept, False, "undone, and yet deleted")
        return expect(runner.erase_at is None, is_kept, "kept if undone")

    return Contest(
        [
            partial(disconnect.process_removals, worker),
            partial(browsers[0].post, f"/undo/{token}"),
            partial(browsers[1].post, f"/undo/{token}"),
            partial(browsers[2].post, "/settings/delete/undo"),
        ],
        find_breaks,
    )


def race_deletion(stage: RaceStage) -> Contest:
    """Delete a runner while they use every page."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, run_id = stage.add_run(athlete)
    bookmark = pre_run.create_token(stage.runtime, runner_id)
    link = unsubscribe.create_token(stage.runtime, runner_id)
    browsers = stage.open_browsers(8, runner_id)
    return Contest(
        [
            partial(disconnect.delete_runner, stage.runtime, runner_id),
            partial(browsers[0].post, f"/runs/{run_id}", mood=1),
            partial(browsers[1].post, f"/before/{bookmark}", mood=3),
            partial(browsers[2].post, "/settings/export"),
            partial(browsers[3].post, f"/u/{link}"),
            partial(browsers[4].get, "/dashboard"),
            partial(browsers[5].get, "/settings"),
            partial(browsers[6].post, "/email", email=f"n{runner_id}@example.org"),
            partial(browsers[7].post, "/settings/delete"),
        ],
        lambda session, _: [
            *expect(session.get(Runner, runner_id), None, "the runner"),
            *expect(
                count_rows(session, Answer, Answer.runner_id == runner_id), 0, "rows"
            ),
        ],
    )


def race_decisions(stage: RaceStage) -> Contest:
    """Two workers look at two runs of one day: one question, and one decision each."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    for minutes in (25, 200):
        run = stage.harness.finish_run(athlete, ended_minutes_ago=minutes)
        stage.harness.deliver_event(athlete, run.id, "create")
    handle.process_due(stage.runtime)

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        open_surveys = count_rows(
            session,
            Survey,
            Survey.runner_id == runner_id,
            Survey.cancelled_for.is_(None),
        )
        mails = count_rows(
            session,
            Mail,
            Mail.runner_id == runner_id,
            Mail.kind == MailKind.SURVEY,
            Mail.due_at.is_not(None),
        )
        decided = count_rows(session, Decision, Decision.runner_id == runner_id)
        return [
            *expect((open_surveys, mails), (1, 1), "questions and their mails"),
            *expect(decided, 2, "decisions"),
        ]

    return Contest(
        [
            partial(decide_runs.process_due, runtime)
            for runtime in (*stage.runtimes, *stage.runtimes)
        ],
        find_breaks,
    )


def race_checkins(stage: RaceStage) -> Contest:
    """Two workers draw for one day: one draw, and at most one question."""
    runner_id = stage.add_runner()
    preferences.save_preferences(stage.runtime, runner_id, {"checkins": True})

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        draws = session.scalars(
            select(CheckinDraw).where(CheckinDraw.runner_id == runner_id)
        ).all()
        surveys = count_rows(session, Survey, Survey.runner_id == runner_id)
        return [
            *expect(len(draws), 1, "draws"),
            *expect(surveys, sum(draw.drawn for draw in draws), "check-ins"),
        ]

    return Contest(
        [
            partial(checkins.process_due, runtime)
            for runtime in (*stage.runtimes, *stage.runtimes)
        ],
        find_breaks,
    )


def race_digests(stage: RaceStage) -> Contest:
    """Two workers write one week's digest."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    stage.add_run(athlete)
    preferences.save_preferences(stage.runtime, runner_id, {"digest": True})
    monday = stage.now() + timedelta(days=(7 - stage.now().weekday()) % 7 or 7)
    workers = [
        stage.runtime_at(runtime, ManualClock(monday)) for runtime in stage.runtimes
    ]
    return Contest(
        [partial(digest.process_due, worker) for worker in workers * 2],
        lambda session, _: expect(
            count_rows(
                session,
                Mail,
                Mail.runner_id == runner_id,
                Mail.kind == MailKind.DIGEST,
            ),
            1,
            "digests",
        ),
    )


def race_warnings(stage: RaceStage) -> Contest:
    """Two workers warn a runner who was not seen for a year."""
    runner_id = stage.add_runner()
    long_ago = stage.now() - inactivity.WARN_AFTER - timedelta(days=1)
    with stage.runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).active_at = long_ago
    return Contest(
        [partial(inactivity.process_inactive, runtime) for runtime in stage.runtimes],
        lambda session, _: expect(
            count_rows(
                session,
                Mail,
                Mail.runner_id == runner_id,
                Mail.kind == MailKind.INACTIVE,
            ),
            1,
            "warnings",
        ),
    )


def race_events(stage: RaceStage) -> Contest:
    """Strava repeats itself: one event is delivered eight times."""
    athlete = stage.add_athlete()
    stage.add_runner(athlete)
    delivery = WebhookDelivery.model_validate(
        {
            "object_type": "activity",
            "object_id": 10**10 + athlete.id,
            "aspect_type": "create",
            "owner_id": athlete.id,
            "subscription_id": 1,
            "event_time": int(stage.now().timestamp()),
            "updates": {},
        }
    )
    with stage.runtime.db.read_only() as session:
        known = count_rows(session, Event, Event.athlete_id == athlete.id)
    return Contest(
        [
            partial(receive_delivery, stage.runtimes[number % 2], delivery)
            for number in range(8)
        ],
        lambda session, outcomes: [
            *expect(
                count_rows(session, Event, Event.athlete_id == athlete.id) - known,
                1,
                "events",
            ),
            *expect(sum(one.result is True for one in outcomes), 1, "stored"),
        ],
    )


def race_tokens(stage: RaceStage) -> Contest:
    """Six ask for a token that is over: one refreshes it."""
    runner_id = stage.add_runner()
    with stage.runtime.db.transaction() as session:
        session.get_one(Connection, runner_id).expires_at = stage.now()

    def find_breaks(session: Session, outcomes: ActOutcomes) -> list[str]:
        connection = session.get_one(Connection, runner_id)
        given = {outcome.result for outcome in outcomes if outcome.error is None}
        return [
            *expect(connection.broken_at, None, "a broken link"),
            *expect(connection.lease_until, None, "a lease that stays"),
            *expect(len(given), 1, "tokens"),
        ]

    return Contest(
        [
            partial(get_access_token, stage.runtimes[number % 2], runner_id)
            for number in range(6)
        ],
        find_breaks,
    )


def race_imports(stage: RaceStage) -> Contest:
    """Take in a file four times whose runner is not here."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    stage.add_run(athlete)
    path = Path(stage.runtime.settings.data_dir) / f"{runner_id}.zip"
    path.write_bytes(pack_export(stage.runtime, runner_id))
    disconnect.delete_runner(stage.runtime, runner_id)
    return Contest(
        [
            partial(import_runner, stage.runtimes[number % 2], path)
            for number in range(4)
        ],
        lambda session, outcomes: [
            *expect(
                count_rows(session, Runner, Runner.claimed_athlete_id == athlete.id),
                1,
                "runners of one athlete",
            ),
            *expect(sum(one.error is None for one in outcomes), 1, "imports"),
        ],
    )


def race_added_imports(stage: RaceStage) -> Contest:
    """Add a file to its own runner four times: nothing is there twice."""
    athlete = stage.add_athlete()
    runner_id = stage.add_runner(athlete)
    _, run_id = stage.add_run(athlete)
    answer.record_run_answer(
        stage.runtime, runner_id=runner_id, run_id=run_id, values={"mood": 1}
    )
    path = Path(stage.runtime.settings.data_dir) / f"{runner_id}.zip"
    path.write_bytes(pack_export(stage.runtime, runner_id))
    return Contest(
        [
            partial(
                import_runner, stage.runtimes[number % 2], path, runner_id=runner_id
            )
            for number in range(4)
        ],
        lambda session, _: expect(
            [
                count_rows(session, table, table.runner_id == runner_id)
                for table in (Run, Answer, Survey)
            ],
            [1, 1, 1],
            "runs, answers, surveys",
        ),
    )


def race_subscriptions(stage: RaceStage) -> Contest:
    """`strava subscribe` is run twice: we listen to the one that Strava has."""

    def find_breaks(session: Session, _outcomes: ActOutcomes) -> list[str]:
        ours = [*session.scalars(select(Subscription.id))]
        theirs = [one.id for one in stage.runtime.strava.subscriptions()]
        return expect(ours, theirs, "the one subscription that Strava has")

    return Contest(
        [partial(host_subscription.subscribe, runtime) for runtime in stage.runtimes],
        find_breaks,
    )


def race_visits(stage: RaceStage) -> Contest:
    """Come back after a day, in eight tabs, and sign out in one."""
    runner_id = stage.add_runner()
    tabs = stage.open_tabs(8, runner_id)
    with stage.runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).active_at = None
    return Contest(
        [
            *(partial(tab.get, "/dashboard") for tab in tabs[:6]),
            partial(tabs[6].post, "/logout"),
            partial(tabs[7].post, "/settings/sign-ins", others="1"),
        ],
        lambda session, _: expect(
            count_rows(session, SignIn, SignIn.runner_id == runner_id), 0, "sign-ins"
        ),
    )


RACES: Mapping[str, Race] = {
    name.removeprefix("race_"): race
    for name, race in list(globals().items())
    if name.startswith("race_")
}
