"""What holds for every runner, every run and every hour, whatever they are."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sync.mail.quiet_hours import defer_past_quiet_hours
from sync.preferences import Preferences
from sync.surveys.policy.frequency import WEEK, QuestionMail, RecentQuestion
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send, count_sessions, decide_run
from sync.surveys.policy.situation import RunFacts, Situation
from sync.vocabulary import MailKind

POLICY = Policy()
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
START = datetime(2026, 1, 1, tzinfo=UTC)

clocks = st.times().map(lambda at: f"{at:%H:%M}")
moments = st.integers(0, 60 * 24 * 365).map(lambda m: START + timedelta(minutes=m))


@st.composite
def draw_preferences(draw: st.DrawFn) -> Preferences:
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
def draw_situations(draw: st.DrawFn, now: datetime) -> Situation:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    ago = st.integers(-600, 60 * 24 * 8).map(lambda m: now - timedelta(minutes=m))
    surveys, mailed = [], []
    for survey_id in range(draw(st.integers(0, 7))):
        at = draw(ago)
        sent = at <= now and draw(st.booleans())
        answered_at = at if sent and draw(st.booleans()) else None
        day: date | None = at.astimezone(zone).date()
        surveys.append(
            RecentQuestion(
                survey_id=survey_id,
                local_day=at.astimezone(zone).date(),
                send_at=at,
                is_sent=sent,
                run_day=day if draw(st.booleans()) else None,
                answered_at=answered_at,
            )
        )
        kind = MailKind.SURVEY if surveys[-1].is_about_run else MailKind.CHECKIN
        mailed.append(QuestionMail(survey_id, kind, at, sent))
    return Situation(
        has_address=True,
        preferences=draw(draw_preferences()),
        zone=zone,
        recent_questions=surveys,
        runs_at_once=draw(st.integers(1, 4)),
        is_newest=draw(st.booleans()),
        runs_since_asked=draw(st.integers(0, 3)),
        recent_mails=mailed,
        ignored_count=draw(st.integers(0, 6)),
        ignored_reminder_count=draw(st.integers(0, 3)),
    )


@st.composite
def draw_cases(draw: st.DrawFn) -> tuple[RunFacts, Situation, datetime]:
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
        is_manual=draw(st.booleans()),
    )
    return run, draw(draw_situations(now)), now


def is_quiet(at: datetime, situation: Situation) -> bool:
    hours = situation.preferences.quiet_hours
    return defer_past_quiet_hours(at, hours, situation.zone) != at


@given(draw_cases())
def test_no_question_goes_out_in_the_night_or_too_late(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide_run(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        ended_at = run.ended_at or now
        assert verdict.at >= now
        assert not is_quiet(verdict.at, situation)
        assert verdict.at - ended_at <= timedelta(hours=POLICY.too_old_h)
        assert verdict.expires_at == ended_at + timedelta(hours=POLICY.life_h)


@given(draw_cases())
def test_a_reminder_is_late_enough_early_enough_and_by_day(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide_run(run, situation, POLICY, now=now)

    if isinstance(verdict, Send) and verdict.remind_at is not None:
        assert verdict.remind_at - verdict.at == timedelta(hours=3)
        assert verdict.remind_at - (run.ended_at or now) <= timedelta(hours=6)
        assert not is_quiet(verdict.remind_at, situation)
        assert situation.ignored_reminder_count < 2


@given(draw_cases())
def test_no_seven_days_hold_more_than_five_run_mails(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide_run(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        mails = [
            mail.at
            for mail in situation.recent_mails
            if mail.is_about_run
            and (mail.is_sent or mail.survey_id not in verdict.replaced_survey_ids)
        ]
        new = [at for at in (verdict.at, verdict.remind_at) if at is not None]
        for last in new:
            before = [at for at in mails + new if last - WEEK < at <= last]
            assert len(before) <= POLICY.most_run_mails_a_week


@given(draw_cases())
def test_a_day_has_one_question_that_stands(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide_run(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        day = verdict.at.astimezone(situation.zone).date()
        that_day = [a for a in situation.recent_questions if a.local_day == day]
        assert {a.survey_id for a in that_day} <= set(verdict.replaced_survey_ids)
        assert all(a.answered_at is None for a in that_day)


@given(draw_cases())
def test_whoever_wants_quiet_has_it(
    case: tuple[RunFacts, Situation, datetime],
) -> None:
    run, situation, now = case

    verdict = decide_run(run, situation, POLICY, now=now)

    if isinstance(verdict, Send):
        assert situation.preferences.ask != "never"
        assert situation.ignored_count < POLICY.slow_down_after
        assert not run.is_manual


@given(moments, clocks, clocks, st.sampled_from(ZONES))
def test_the_end_of_the_quiet_hours_is_not_quiet(
    at: datetime, start: str, end: str, zone: str
) -> None:
    hours = time.fromisoformat(start), time.fromisoformat(end)
    place = ZoneInfo(zone)

    awake = defer_past_quiet_hours(at, hours, place)

    assert at <= awake <= at + timedelta(hours=25)
    assert defer_past_quiet_hours(awake, hours, place) == awake


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
            is_manual=False,
        )
        for number, (start, minutes) in enumerate(runs)
    ]

    assert count_sessions(facts, POLICY) == count_sessions(facts[::-1], POLICY)
    assert 1 <= count_sessions(facts, POLICY) <= len(facts)
