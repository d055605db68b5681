"""What is wrong after the story: each finding is one sentence."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from sync.models import Connection, Decision, Event, Mail, Runner, Survey
from tests.lab.chaos.mail_server import Letters
from tests.lab.chaos.scenario import Story
from tests.support.harness import Stage
from tests.support.table_comparison import ours, theirs

MOST_EXAMPLES = 3
SHADOW_S = 10.0


def tables_differ(stage: Stage, *, apart_from: set[int]) -> Iterator[str]:
    """Compare every column of every run with Strava's own record."""
    here, there = ours(stage), theirs(stage.world)
    ids = (here.keys() | there.keys()) - apart_from
    missing = sorted(one for one in ids if one not in here)
    extra = sorted(one for one in ids if one not in there)
    other = sorted(
        one for one in ids & here.keys() & there.keys() if here[one] != there[one]
    )
    if missing:
        yield f"{len(missing)} runs of Strava's are not here, such as {_few(missing)}"
    if extra:
        yield f"{len(extra)} runs are not Strava's any more, such as {_few(extra)}"
    for one in other[:MOST_EXAMPLES]:
        columns = [name for name in here[one] if here[one][name] != there[one][name]]
        yield f"run {one} differs in {', '.join(columns)} ({len(other)} such runs)"


def events_lost(stage: Stage, story: Story) -> Iterator[str]:
    """Look for each acknowledged event in the inbox, and for parked ones."""
    with stage.runtime.db.reading() as session:
        kept = Counter(
            (row.subject_id, row.aspect, int(row.happened_at.timestamp()))
            for row in session.execute(
                select(Event.subject_id, Event.aspect, Event.happened_at)
            )
        )
        parked = Counter(
            session.scalars(
                select(Event.parked_for).where(Event.parked_for.is_not(None))
            )
        )
    told = Counter(
        (event.body["object_id"], event.body["aspect_type"], event.body["event_time"])
        for event in story.acknowledged()
    )
    lost = told - kept
    if lost:
        yield f"{lost.total()} acknowledged events were not kept"
    for reason, times in parked.items():
        yield f"{times} events were parked for {reason}"


def links_broken(stage: Stage) -> Iterator[str]:
    with stage.runtime.db.reading() as session:
        broken = session.scalars(
            select(Connection.runner_id).where(Connection.broken_at.is_not(None))
        ).all()
    if broken:
        yield f"{len(broken)} links to Strava are broken"


def over_quota(
    refused_at: Sequence[float], redis_lost_at: Sequence[float], *, workers: int
) -> Iterator[str]:
    """Allow a worker one refusal after each loss of the count that all share.

    Until it hears from Strava it cannot know what the others have asked for.
    """
    excused = [
        at
        for at in refused_at
        if any(0 <= at - lost_at <= SHADOW_S for lost_at in redis_lost_at)
    ]
    if len(refused_at) > len(excused):
        yield f"{len(refused_at) - len(excused)} requests were over the limit"
    if len(excused) > workers * len(redis_lost_at):
        yield f"{len(excused)} requests were over the limit while Redis was lost"


def mails_wrong(
    stage: Stage, letters: Letters, *, repeats_at_most: int
) -> Iterator[str]:
    """Compare what we decided and what we believe to have sent with what arrived.

    A mail may come twice if we died between the server's yes and our own note of
    it: then under the same Message-ID, and no more often than we died.
    """
    with stage.runtime.db.reading() as session:
        mails = session.execute(
            select(Mail.message_id, Mail.sent_at, Survey.pairing_key)
            .join(Survey, Survey.id == Mail.survey_id)
            .where(Mail.kind == "survey")
        ).all()
        sends = Counter(
            session.scalars(select(Decision.run_id).where(Decision.verdict == "send"))
        )
        asked = Counter(
            session.scalars(
                select(Survey.run_id)
                .join(Mail, Mail.survey_id == Survey.id)
                .where(Mail.kind == "survey", Mail.sent_at.is_not(None))
            )
        )
    sent = {mail.message_id for mail in mails if mail.sent_at is not None}
    never = [one for one in sent if not letters.taken[one]]
    if never:
        yield f"{len(never)} survey mails are marked as sent and did not arrive"
    unsent = [m for m in mails if m.sent_at is None and letters.taken[m.message_id]]
    repeats = sum(letters.taken[one] - 1 for one in sent if letters.taken[one])
    if repeats + len(unsent) > repeats_at_most:
        yield (
            f"{repeats} survey mails came twice and {len(unsent)} were withheld after"
            f" they had left, though nothing died more than {repeats_at_most} times"
        )
    keys = Counter(mail.pairing_key for mail in mails if mail.message_id in sent)
    twice = [key for key, times in keys.items() if times > 1]
    if twice:
        yield f"{len(twice)} runs were asked about more than once"
    unasked = [run_id for run_id in sends if asked[run_id] != 1]
    if unasked:
        yield f"{len(unasked)} runs were to be asked about and were not, once"
        yield from _what_became_of(stage, unasked)


def _what_became_of(stage: Stage, run_ids: list[int]) -> Iterator[str]:
    with stage.runtime.db.reading() as session:
        rows = session.execute(
            select(Survey.cancelled_for, Mail.withheld_for, Mail.due_at, Mail.attempts)
            .outerjoin(Mail, Mail.survey_id == Survey.id)
            .where(Survey.run_id.in_(run_ids))
        ).all()
    ends = Counter(
        f"survey cancelled for {row.cancelled_for}, mail withheld for"
        f" {row.withheld_for}, {'due' if row.due_at else 'not due'}"
        for row in rows
    )
    for end, times in ends.items():
        yield f"of these {times}: {end}"


def quiet_ones_wronged(stage: Stage, story: Story, letters: Letters) -> Iterator[str]:
    """One run that we were told of in time means one mail; policy is not asked."""
    with stage.runtime.db.reading() as session:
        addresses = {
            athlete_id: stage.runtime.sealer.open(email)
            for athlete_id, email in session.execute(
                select(Runner.athlete_id, Runner.email)
            )
            if email is not None
        }
    mails = Counter(letters.recipients[one] for one in letters.recipients)
    unsaid = story.unsaid()
    for athlete_id in story.quiet:
        run_id = story.quiet_runs.get(athlete_id)
        got = mails[addresses[athlete_id]]
        if run_id is None and got:
            yield f"athlete {athlete_id} did not run and got {got} mails"
        elif run_id is not None and run_id not in unsaid and got != 1:
            yield f"athlete {athlete_id} ran once and got {got} mails"


def _few(ids: list[int]) -> str:
    return ", ".join(str(one) for one in ids[:MOST_EXAMPLES])
