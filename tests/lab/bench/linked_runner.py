"""Runners with a good link to Strava, put into empty tables as linking would."""

from datetime import timedelta

from sqlalchemy.orm import Session

from sync.crypto import Sealer
from sync.models import Connection, Runner
from sync.vocabulary import SealedColumn
from tests.conftest import KEY
from tests.support.clock import NOON

ATHLETE = 7
RUNNER = 1


def add_linked(session: Session, number: int = 0) -> None:
    """Add the runner with this number; 0 is `RUNNER`, who is `ATHLETE` at Strava."""
    sealer = Sealer([KEY])
    session.add(
        Runner(
            id=RUNNER + number,
            athlete_id=ATHLETE + number,
            created_at=NOON,
            vault_key=b"",
        )
    )
    session.flush()
    session.add(
        Connection(
            runner_id=RUNNER + number,
            scope="read,activity:read",
            access_token=sealer.seal("token", SealedColumn.STRAVA_ACCESS),
            refresh_token=sealer.seal("token", SealedColumn.STRAVA_REFRESH),
            expires_at=NOON + timedelta(days=1),
            linked_at=NOON,
        )
    )
