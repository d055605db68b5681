"""The two rare notices: more running with lower answers, and people to talk to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from sync.analytics.dataset.distances import compute_usual_load
from sync.analytics.dataset.weeks import USUAL_DAYS, WEEK_DAYS
from sync.analytics.sentences.milestones import Outcome, PanelDecision
from sync.analytics.stats.series import Flags, Floats, validate_columns

WINDOW_DAYS = 14
MIN_INCREASE = 1.2
MIN_RECENT_ANSWERS = 4
MIN_BASELINE_ANSWERS = 12

NOTICE_STATE = "rare"
SUPPORT_MAIL, _MAIL_ID = "support_mail", "support_mail_id"
COOLDOWN_DAYS = {"more_than_usual": 28, "support": 14, SUPPORT_MAIL: 14}
SHOWN_DAYS = 7

LOW_MEDIAN = -1
AWFUL = -2
MIN_LOW_ANSWERS = 5
LOW_SPAN_DAYS = 10
AWFUL_IN_A_ROW = 3
SUPPORT_MAX_AGE_DAYS = 28


@dataclass(frozen=True, slots=True)
class MileageIncrease:
    """Two weeks above the usual mileage with lower answers, in metres a week."""

    recent_m: float
    usual_m: float


def detect_mileage_increase(
    run_days: npt.ArrayLike,
    run_m: npt.ArrayLike,
    answer_days: npt.ArrayLike,
    moods: npt.ArrayLike,
    today: int,
) -> MileageIncrease | None:
    """Detect two weeks of clearly more running together with lower answers.

    Runs have shape (n,), in local days and metres; answers shape (m,); `today` is a
    day number.  The rule: the mean of the last two weeks is at least one standard
    deviation below the eight weeks before, both weeks are lower, there are at least
    4 answers against 12, and at least 20 % more distance than in those eight weeks,
    if the runner has as many.  Looser rules fire by chance several times a year.
    Raises `InvalidSeries`.
    """
    days, metres = validate_columns(run_days=run_days, run_m=run_m)
    answered, mood = validate_columns(answer_days=answer_days, moods=moods)
    window_start = today - WINDOW_DAYS
    recent_m = metres[_is_between(days, window_start, today)].sum() / 2
    [usual_m] = compute_usual_load(metres, days, [window_start])
    baseline = mood[_is_between(answered, window_start - USUAL_DAYS, window_start)]
    weeks = [
        mood[_is_between(answered, window_start, window_start + WEEK_DAYS)],
        mood[_is_between(answered, window_start + WEEK_DAYS, today)],
    ]
    if (
        len(baseline) < MIN_BASELINE_ANSWERS
        or not usual_m > 0
        or recent_m < MIN_INCREASE * usual_m
    ):
        return None
    if sum(map(len, weeks)) < MIN_RECENT_ANSWERS or not all(map(len, weeks)):
        return None
    center, spread = float(baseline.mean()), float(baseline.std(ddof=1))
    is_lower = np.concatenate(weeks).mean() <= center - spread and spread > 0
    if not is_lower or any(week.mean() >= center for week in weeks):
        return None
    return MileageIncrease(recent_m=float(recent_m), usual_m=float(usual_m))


def is_mostly_low(moods: npt.ArrayLike, days: npt.ArrayLike, *, today: float) -> bool:
    """Tell whether the last answers, oldest first, shape (n,), were mostly low.

    They are if the last five or more answers that span ten days have a median of Low
    or worse, or if the last three are Awful.  Answers older than four weeks do not
    count as last.  Raises `InvalidSeries`.
    """
    answer_days, mood = validate_columns(days=days, moods=moods)
    if not len(mood) or today - answer_days[-1] > SUPPORT_MAX_AGE_DAYS:
        return False
    latest = mood[-AWFUL_IN_A_ROW:]
    if len(latest) == AWFUL_IN_A_ROW and (latest == AWFUL).all():
        return True
    rows_before_span = np.flatnonzero(answer_days <= answer_days[-1] - LOW_SPAN_DAYS)
    if not len(rows_before_span):
        return False
    first_row = min(int(rows_before_span[-1]), len(mood) - MIN_LOW_ANSWERS)
    return first_row >= 0 and bool(np.median(mood[first_row:]) <= LOW_MEDIAN)


def rate_limit(
    stored: PanelDecision | None, active: Mapping[str, Outcome], *, now: datetime
) -> PanelDecision:
    """Return the notice state, with the active notices started that may start.

    A notice shows for a week and then rests.  All share one sealed row that every
    runner has, so that the row's presence tells a host nothing.
    """
    facts = dict(stored.outcome.facts) if stored else {}
    for name, outcome in active.items():
        cooldown_s = timedelta(days=COOLDOWN_DAYS[name]).total_seconds()
        if now.timestamp() - float(facts.get(f"{name}_s", -cooldown_s)) >= cooldown_s:
            facts |= {f"{name}_s": int(now.timestamp())} | dict(outcome.facts)
    state = Outcome(NOTICE_STATE, facts)
    if stored is not None and stored.outcome == state:
        return stored
    return PanelDecision(0, "", state, decided_at=stored.decided_at if stored else now)


def find_current_notice(
    stored: PanelDecision | None, name: str, *, now: datetime
) -> Outcome | None:
    """Return a notice while its week lasts."""
    facts = stored.outcome.facts if stored else {}
    shown_since_s = facts.get(f"{name}_s")
    shown_for_s = timedelta(days=SHOWN_DAYS).total_seconds()
    if shown_since_s is None or now.timestamp() - float(shown_since_s) >= shown_for_s:
        return None
    return Outcome(name, facts)


def claim_support_mail(
    stored: PanelDecision | None, mail_id: int, *, is_low: bool, now: datetime
) -> tuple[PanelDecision, bool]:
    """Return the new state, and whether this mail names people to talk to.

    One mail in two weeks does; the same mail keeps them when it is built again.
    """
    if find_support_mail(stored) == mail_id and stored is not None:
        return stored, True
    claim = Outcome(SUPPORT_MAIL, {_MAIL_ID: mail_id})
    state = rate_limit(stored, {SUPPORT_MAIL: claim} if is_low else {}, now=now)
    return state, find_support_mail(state) == mail_id


def find_support_mail(stored: PanelDecision | None) -> int | None:
    """Return the id of the last mail that named people to talk to."""
    mail_id = stored.outcome.facts.get(_MAIL_ID) if stored else None
    return None if mail_id is None else int(mail_id)


def release_support_mail(stored: PanelDecision) -> PanelDecision:
    """Remove the last mail that named people to talk to: it was never sent."""
    removed_keys = {_MAIL_ID, f"{SUPPORT_MAIL}_s"}
    facts = {k: v for k, v in stored.outcome.facts.items() if k not in removed_keys}
    return replace(stored, outcome=Outcome(NOTICE_STATE, facts))


def _is_between(days: Floats, after: float, until: float) -> Flags:
    return np.asarray((days > after) & (days <= until))
