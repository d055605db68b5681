"""When to say "more running, lower answers", and when to offer someone to talk to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from sync.analytics.dataset.loads import USUAL_DAYS, WEEK_DAYS, own_usual
from sync.analytics.sentences.localized_text import Finding
from sync.analytics.sentences.milestones import Decided
from sync.analytics.stats.series import Flags, Floats, columns

WINDOW_DAYS = 14
MORE = 1.2
FEWEST_RECENT = 4
FEWEST_USUAL = 12

RARE = "rare"
SUPPORT_MAIL, _MAIL_ID = "support_mail", "support_mail_id"
REST_DAYS = {"more_than_usual": 28, "support": 14, SUPPORT_MAIL: 14}
SHOWN_DAYS = 7

LOW_MEDIAN = -1
AWFUL = -2
FEWEST_LOW = 5
LOW_SPAN_DAYS = 10
AWFUL_IN_A_ROW = 3
SUPPORT_FRESH_DAYS = 28


@dataclass(frozen=True, slots=True)
class MoreThanUsual:
    """Two weeks above the usual mileage with lower answers, in metres a week."""

    recent_m: float
    usual_m: float


def more_than_usual(
    run: tuple[npt.ArrayLike, npt.ArrayLike],
    answered: tuple[npt.ArrayLike, npt.ArrayLike],
    today: int,
) -> MoreThanUsual | None:
    """Notice two weeks of clearly more running together with lower answers.

    `run` is (local days, metres), `answered` (local days, moods); `today` is a
    day number. The tight rule: mean of the last two weeks at least one standard
    deviation below the eight weeks before, both weeks lower, at least 4 answers
    against 12, and at least 20 % more distance than in those eight weeks, if the
    runner has as many. Looser rules fire on nothing several times a year.
    """
    days, metres = columns(run_days=run[0], metres=run[1])
    when, mood = columns(answer_days=answered[0], moods=answered[1])
    starts = today - WINDOW_DAYS
    recent_m = metres[_between(days, starts, today)].sum() / 2
    [usual_m] = own_usual(metres, days, [starts])
    usual = mood[_between(when, starts - USUAL_DAYS, starts)]
    weeks = [
        mood[_between(when, starts, starts + WEEK_DAYS)],
        mood[_between(when, starts + WEEK_DAYS, today)],
    ]
    if len(usual) < FEWEST_USUAL or not usual_m > 0 or recent_m < MORE * usual_m:
        return None
    if sum(map(len, weeks)) < FEWEST_RECENT or not all(map(len, weeks)):
        return None
    middle, spread = float(usual.mean()), float(usual.std(ddof=1))
    lower = np.concatenate(weeks).mean() <= middle - spread and spread > 0
    if not lower or any(week.mean() >= middle for week in weeks):
        return None
    return MoreThanUsual(recent_m=float(recent_m), usual_m=float(usual_m))


def mostly_low(moods: npt.ArrayLike, days: npt.ArrayLike, *, today: float) -> bool:
    """Whether the last answers, oldest first, shape (n,), were mostly low.

    The last five or more answers that span ten days with a median of Low or
    worse, or three Awful in a row; nothing older than four weeks counts as
    last. It names no state and foretells none.
    """
    when, mood = columns(days=days, moods=moods)
    if not len(mood) or today - when[-1] > SUPPORT_FRESH_DAYS:
        return False
    last = mood[-AWFUL_IN_A_ROW:]
    if len(last) == AWFUL_IN_A_ROW and (last == AWFUL).all():
        return True
    long_ago = np.flatnonzero(when <= when[-1] - LOW_SPAN_DAYS)
    if not len(long_ago):
        return False
    first = min(int(long_ago[-1]), len(mood) - FEWEST_LOW)
    return first >= 0 and bool(np.median(mood[first:]) <= LOW_MEDIAN)


def rarely(
    stored: Decided | None, firing: Mapping[str, Finding], *, now: datetime
) -> Decided:
    """Keep when each rare thing was last said, and start those that fire anew.

    Each is said for a week and then rests. All share one sealed row that every
    runner has, so that the row's mere presence tells a host nothing.
    """
    facts = dict(stored.finding.facts) if stored else {}
    for name, finding in firing.items():
        rest = timedelta(days=REST_DAYS[name]).total_seconds()
        if now.timestamp() - float(facts.get(f"{name}_s", -rest)) >= rest:
            facts |= {f"{name}_s": int(now.timestamp())} | dict(finding.facts)
    finding = Finding(RARE, facts)
    if stored is not None and stored.finding == finding:
        return stored
    return Decided(0, "", finding, decided_at=stored.decided_at if stored else now)


def said_now(stored: Decided | None, name: str, *, now: datetime) -> Finding | None:
    """Return a rare thing while its week lasts."""
    facts = stored.finding.facts if stored else {}
    began_s = facts.get(f"{name}_s")
    week = timedelta(days=SHOWN_DAYS).total_seconds()
    if began_s is None or now.timestamp() - float(began_s) >= week:
        return None
    return Finding(name, facts)


def in_mail(
    stored: Decided | None, mail_id: int, *, is_low: bool, now: datetime
) -> tuple[Decided, bool]:
    """Say whether this mail names people to talk to, and keep that it does.

    One mail in two weeks does, however often that one has to be written.
    """
    if mailed_in(stored) == mail_id and stored is not None:
        return stored, True
    finding = Finding(SUPPORT_MAIL, {_MAIL_ID: mail_id})
    kept = rarely(stored, {SUPPORT_MAIL: finding} if is_low else {}, now=now)
    return kept, mailed_in(kept) == mail_id


def mailed_in(stored: Decided | None) -> int | None:
    """Return the number of the mail that named them last."""
    found = stored.finding.facts.get(_MAIL_ID) if stored else None
    return None if found is None else int(found)


def not_mailed(stored: Decided) -> Decided:
    """Forget the last mail that named them: it never left."""
    gone = {_MAIL_ID, f"{SUPPORT_MAIL}_s"}
    facts = {k: v for k, v in stored.finding.facts.items() if k not in gone}
    return replace(stored, finding=Finding(RARE, facts))


def _between(days: Floats, after: float, until: float) -> Flags:
    return np.asarray((days > after) & (days <= until))
