"""What is wrong after the story: each finding is one sentence."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from sync.models import Connection, Decision, Event, Mail, Runner, Survey
from sync.vocabulary import SealedColumn
from tests.lab.chaos.mail_server import ReceivedMails
from tests.lab.chaos.scenario import ChaosScenario
from tests.support.harness import Harness
from tests.support.table_comparison import expected_rows, stored_rows

MOST_EXAMPLES = 3
SHADOW_S = 10.0


def check_tables(harness: Harness, *, apart_from: set[int]) -> Iterator[str]:
    """Compare every column of every run with Strava's own record."""
    our_rows, strava_rows = stored_rows(harness), expected_rows(harness.world)
    ids = (our_rows.keys() | strava_rows.keys()) - apart_from
    missing = sorted(run_id for run_id in ids if run_id not in our_rows)
    extra = sorted(run_id for run_id in ids if run_id not in strava_rows)
    differing = sorted(
        run_id
        for run_id in ids & our_rows.keys() & strava_rows.keys()
        if our_rows[run_id] != strava_rows[run_id]
    )
    if missing:
        examples = _format_examples(missing)
        yield f"{len(missing)} runs of Strava's are not here, such as {examples}"
    if extra:
        examples = _format_examples(extra)
        yield f"{len(extra)} runs are not Strava's any more, such as {examples}"
    for run_id in differing[:MOST_EXAMPLES]:
        columns = [
            name
            for name in our_rows[run_id]
            if our_rows[run_id][name] != strava_rows[run_id][name]
        ]
        names = ", ".join(columns)
        yield f"run {run_id} differs in {names} ({len(differing)} such runs)"


def check_events(harness: Harness, scenario: ChaosScenario) -> Iterator[str]:
    """Look for each acknowledged event in the inbox, and for parked ones."""
    with harness.runtime.db.read_only() as session:
        stored_counts = Counter(
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
    acknowledged_counts = Counter(
        (event.body["object_id"], event.body["aspect_type"], event.body["event_time"])
        for event in scenario.acknowledged()
    )
    lost = acknowledged_counts - stored_counts
    if lost:
        yield f"{lost.total()} acknowledged events were not kept"
    for reason, times in parked.items():
        yield f"{times} events were parked for {reason}"


def check_links(harness: Harness) -> Iterator[str]:
    with harness.runtime.db.read_only() as session:
        broken = session.scalars(
            select(Connection.runner_id).where(Connection.broken_at.is_not(None))
        ).all()
    if broken:
        yield f"{len(broken)} links to Strava are broken"


def check_quota(
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


def check_mails(
    harness: Harness, received_mails: ReceivedMails, *, repeats_at_most: int
) -> Iterator[str]:
    """Compare what we decided and what we believe to have sent with what arrived.

    A mail may come twice if we died between the server's yes and our own note of
    it: then under the same Message-ID, and no more often than we died.
    """
    with harness.runtime.db.read_only() as session:
        mails = session.execute(
            select(Mail.message_id, Mail.sent_at, Survey.pairing_key)
            .join(Survey, Survey.id == Mail.survey_id)
            .where(Mail.kind == "survey")
        ).all()
        sends = Counter(
            session.scalars(select(Decision.run_id).where(Decision.verdict == "send"))
        )
        survey_counts = Counter(
            session.scalars(
                select(Survey.run_id)
                .join(Mail, Mail.survey_id == Survey.id)
                .where(Mail.kind == "survey", Mail.sent_at.is_not(None))
            )
        )
    sent = {mail.message_id for mail in mails if mail.sent_at is not None}
    unsent = [
        message_id for message_id in sent if not received_mails.counts[message_id]
    ]
    if unsent:
        yield f"{len(unsent)} survey mails are marked as sent and did not arrive"
    unsent = [
        m for m in mails if m.sent_at is None and received_mails.counts[m.message_id]
    ]
    repeats = sum(
        received_mails.counts[message_id] - 1
        for message_id in sent
        if received_mails.counts[message_id]
    )
    if repeats + len(unsent) > repeats_at_most:
        yield (
            f"{repeats} survey mails came twice and {len(unsent)} were withheld after"
            f" they had left, though nothing died more than {repeats_at_most} times"
        )
    keys = Counter(mail.pairing_key for mail in mails if mail.message_id in sent)
    twice = [key for key, times in keys.items() if times > 1]
    if twice:
        yield f"{len(twice)} runs were asked about more than once"
    unasked = [run_id for run_id in sends if survey_counts[run_id] != 1]
    if unasked:
        yield f"{len(unasked)} runs were to be asked about and were not, once"
        yield from _describe_decisions(harness, unasked)


def _describe_decisions(harness: Harness, run_ids: list[int]) -> Iterator[str]:
    with harness.runtime.db.read_only() as session:
        rows = session.execute(
            select(Survey.cancelled_for, Mail.withheld_for, Mail.due_at, Mail.attempts)
            .outerjoin(Mail, Mail.survey_id == Survey.id)
            .where(Survey.run_id.in_(run_ids))
        ).all()
    decision_counts = Counter(
        f"survey cancelled for {row.cancelled_for}, mail withheld for"
        f" {row.withheld_for}, {'due' if row.due_at else 'not due'}"
        for row in rows
    )
    for decision, times in decision_counts.items():
        yield f"of these {times}: {decision}"


def check_quiet_runners(
    harness: Harness, scenario: ChaosScenario, received_mails: ReceivedMails
) -> Iterator[str]:
    """One run that we were told of in time means one mail; policy is not asked."""
    with harness.runtime.db.read_only() as session:
        addresses = {
            athlete_id: harness.runtime.sealer.open(email, SealedColumn.ADDRESS)
            for athlete_id, email in session.execute(
                select(Runner.athlete_id, Runner.email)
            )
            if email is not None
        }
    mails = Counter(
        received_mails.recipients[message_id]
        for message_id in received_mails.recipients
    )
    unsaid = scenario.list_unreported_runs()
    for athlete_id in scenario.quiet:
        run_id = scenario.quiet_runs.get(athlete_id)
        got = mails[addresses[athlete_id]]
        if run_id is None and got:
            yield f"athlete {athlete_id} did not run and got {got} mails"
        elif run_id is not None and run_id not in unsaid and got != 1:
            yield f"athlete {athlete_id} ran once and got {got} mails"


def _format_examples(ids: list[int]) -> str:
    return ", ".join(str(run_id) for run_id in ids[:MOST_EXAMPLES])
