"""How long after a run its question comes, drawn at random for who wants it.  Pure.

Who answers at hours of their own choice may answer later on bad days; then mood seems
to fade.  A delay that chance has chosen has nothing to do with the day.  The design is
that of a micro-randomised trial: Klasnja et al. (2015), doi 10.1037/hea0000305.

The draw is made from a secret of the host, the runner and the run: nobody can foresee
it, and whoever makes it again gets the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send, Verdict, plan_question
from sync.surveys.policy.situation import RunFacts, Situation
from sync.vocabulary import DecisionReason

MIN_OFFERED = 2  # of a single delay there is nothing to draw


@dataclass(frozen=True, slots=True)
class DrawnDelay:
    """A delay in hours, and the probability of each that was offered."""

    delay_h: int
    odds: Mapping[int, float]


def list_offered_delays(
    run: RunFacts, situation: Situation, policy: Policy, *, now: datetime
) -> tuple[int, ...]:
    """Return the delays in hours at which this run may be asked about.

    Left out are those that are past already, fall into quiet hours or on another day
    than the run's, and those at which a limit on mails speaks against asking: nothing
    that comes after the draw may depend on what was drawn.
    """
    if run.ended_at is None:
        return ()
    offered = []
    for delay_h in policy.drawn_delays_h:
        drawn_at = run.ended_at + timedelta(hours=delay_h)
        tolerance_min = 0 if delay_h else policy.straight_away_min
        is_past = drawn_at + timedelta(minutes=tolerance_min) < now
        plan = plan_delayed_question(run, situation, policy, delay_h=delay_h, now=now)
        if (
            not is_past
            and isinstance(plan, Send)
            and plan.at == max(drawn_at, now)
            and plan.at.astimezone(situation.zone).date() == run.local_day
        ):
            offered.append(delay_h)
    return tuple(offered)


def draw_delay(offered_h: Sequence[int], uniform: float) -> DrawnDelay:
    """Draw one of the offered delays, each as likely; `uniform` is from 0 up to 1."""
    return DrawnDelay(
        delay_h=offered_h[int(uniform * len(offered_h))],
        odds=dict.fromkeys(offered_h, 1 / len(offered_h)),
    )


def plan_delayed_question(
    run: RunFacts, situation: Situation, policy: Policy, *, delay_h: int, now: datetime
) -> Verdict:
    """Return the question about a run after this delay, or why there is none.

    It has no reminder, which would move the moment of measuring.
    """
    drawn_at = (run.ended_at or now) + timedelta(hours=delay_h)
    plan = plan_question(
        run, situation, policy, earliest_at=max(drawn_at, now), now=now
    )
    if not isinstance(plan, Send):
        return plan
    return replace(plan, reason=DecisionReason.DRAWN_TIME, remind_at=None)
