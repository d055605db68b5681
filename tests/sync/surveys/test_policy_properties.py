"""What holds for every runner, every run and every hour, whatever they are."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sync.mail.quiet_hours import after_quiet_hours
from sync.preferences import Preferences
from sync.surveys.policy.frequency import RUN_MAILS, WEEK, Asked, Mailed
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import RunFacts, Send, Situation, decide, sessions

POLICY = Policy()
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
START = datetime(2026, 1, 1, tzinfo=UTC)

clocks = st.times().map(lambda at: f"{at:%H:%M}")
moments = st.integers(0, 60 * 24 * 365).map(lambda m: START + timedelta(minutes=m))


@st.composite
def all_preferences(draw: st.DrawFn) -> Preferences:
    return Preferences(
        ask=draw(
            st.sampled_from(
                ("every-run", "every-other-run", "long-runs", "weekly", "never")
            )
        ),
        delay_min=draw(st.sampled_from((0, 5, 15, 30, 60, 180))),
        quiet_from=draw(clocks),
        quiet_until=draw(clocks),
        reminders=draw(st.booleans()),
    )


@st.composite
def situations(draw: st.DrawFn, now: datetime) -> Situation:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    ago = st.integers(-600, 60 * 24 * 8).map(lambda m: now - timedelta(minutes=m))
    asked, mailed = [], []
    for survey_id in range(draw(st.integers(0, 7))):
        at = draw(ago)
        sent = at <= now and draw(st.booleans())
        answered_at = at if sent and draw(st.booleans()) else None
        day: date | None = at.astimezone(zone).date()
        asked.append(
            Asked(
                survey_id=survey_id,
                local_day=at.astimezone(zone).date(),
                send_at=at,
                is_sent=sent,
                run_day=day if draw(st.booleans()) else None,
                answered_at=answered_at,
            )
        )
        kind = "survey" if asked[-1].is_run else "checkin"
        mailed.append(Mailed(survey_id, kind, at, sent))
    return Situation(
        has_address=True,
        preferences=draw(all_preferences()),
        zone=zone,
        asked=asked,
        runs_at_once=draw(st.integers(1, 4)),
        is_newest=draw(st.booleans()),
        runs_since_asked=draw(st.integers(0, 3)),
        mailed=mailed,
        ignored=draw(st.integers(0, 6)),
        reminders_ignored=draw(st.integers(0, 3)),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[RunFacts, Situation, datetime]:
    now = draw(moments)
    ended_at = now - timedelta(minutes=draw(st.integers(0, 60 * 20)))
    moving_s = draw(st.integers(60, 20_000))
    run = RunFacts(
        run_id=1,
        started_at=ended_at - timedelta(seconds=moving_s),
        ended_at=ended_at if draw(st.booleans()) else None,
        learned_at=now,
        local_day=ended_at.date(),
        distance_m=draw(st.floats(0, 60_000)),
        moving_s=moving_s,
        manual=draw(st.booleans()),
    )
    return run, draw(situations(now)), now


def quiet(at: datetime, situation: Situation) -> bool:
    hours = situation.preferences.quiet_hours
    return after_quiet_hours(at, hours, situation.zone) != at


@given(cases())
def test_no_question_goes_out_in_the_night_or_too_late(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        ended_at = run.ended_at or now
        assert verdict.at >= now
        assert not quiet(verdict.at, situation)
        assert verdict.at - ended_at <= timedelta(hours=POLICY.too_old_h)
        assert verdict.expires_at == ended_at + timedelta(hours=POLICY.life_h)


@given(cases())
def test_a_reminder_is_late_enough_early_enough_and_by_day(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide(run, situation, POLICY, now=now)

    if isinstance(verdict, Send) and verdict.remind_at is not None:
        assert verdict.remind_at - verdict.at == timedelta(hours=3)
        assert verdict.remind_at - (run.ended_at or now) <= timedelta(hours=6)
        assert not quiet(verdict.remind_at, situation)
        assert situation.reminders_ignored < 2


@given(cases())
def test_no_seven_days_hold_more_than_five_run_mails(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        mails = [
            mail.at
            for mail in situation.mailed
            if mail.kind in RUN_MAILS
            and (mail.is_sent or mail.survey_id not in verdict.replaces)
        ]
        new = [at for at in (verdict.at, verdict.remind_at) if at is not None]
        for last in new:
            before = [at for at in mails + new if last - WEEK < at <= last]
            assert len(before) <= POLICY.most_run_mails_a_week


@given(cases())
def test_a_day_has_one_question_that_stands(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        day = verdict.at.astimezone(situation.zone).date()
        that_day = [a for a in situation.asked if a.local_day == day]
        assert {a.survey_id for a in that_day} <= set(verdict.replaces)
        assert all(a.answered_at is None for a in that_day)


@given(cases())
def test_whoever_wants_quiet_has_it(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        assert situation.preferences.ask != "never"
        assert situation.ignored < POLICY.slow_down_after
        assert not run.manual


@given(moments, clocks, clocks, st.sampled_from(ZONES))
def test_the_end_of_the_quiet_hours_is_not_quiet(
    at: datetime, start: str, end: str, zone: str
) -> None:
    hours = time.fromisoformat(start), time.fromisoformat(end)
    place = ZoneInfo(zone)

    awake = after_quiet_hours(at, hours, place)

    assert at <= awake <= at + timedelta(hours=25)
    assert after_quiet_hours(awake, hours, place) == awake


@given(st.lists(st.tuples(moments, st.integers(1, 300)), min_size=1, max_size=5))
def test_sessions_do_not_depend_on_the_order_of_runs(
    runs: list[tuple[datetime, int]],
) -> None:
    facts = [
        RunFacts(
            run_id=number,
            started_at=start,
            ended_at=start + timedelta(minutes=minutes),
            learned_at=start,
            local_day=start.date(),
            distance_m=5000,
            moving_s=minutes * 60,
            manual=False,
        )
        for number, (start, minutes) in enumerate(runs)
    ]

    assert sessions(facts, POLICY) == sessions(facts[::-1], POLICY)
    assert 1 <= sessions(facts, POLICY) <= len(facts)
