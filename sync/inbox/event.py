"""One delivery from Strava, parsed: their words in, ours out."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
)

from sync.bounds import FIRST_YEAR, LAST_YEAR, MAX_ID
from sync.vocabulary import EventAspect, EventSubject

MAX_KIND_LENGTH = 40
_FIRST_S = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
_LAST_S = int(datetime(LAST_YEAR, 12, 31, tzinfo=UTC).timestamp())
# What we act on.  The rest, such as a title, may be a runner's words: it goes.
_KEPT_FIELDS = ("type", "private", "authorized")

# All that we tell apart; of a sport it is enough that it changed.
_WORDS = {"true", "false"}

_StravaId = Annotated[StrictInt, Field(ge=0, le=MAX_ID)]


def _keep_used_fields(value: object) -> object:
    """Leave out what we do not act on, and any text but the words that we act on.

    Strava sends "true"; a lenient sender might send true.
    """
    if not isinstance(value, dict):
        return value
    return {key: _to_word(value[key]) for key in _KEPT_FIELDS if key in value}


def _to_word(value: object) -> object:
    if not isinstance(value, str | bool):
        return value
    word = str(value).lower()
    return word if word in _WORDS else "other"


class WebhookDelivery(BaseModel):
    """The body of a webhook POST; anything else is refused."""

    model_config = ConfigDict(frozen=True)

    object_type: EventSubject
    object_id: _StravaId
    aspect_type: EventAspect
    owner_id: _StravaId
    subscription_id: _StravaId
    event_time: Annotated[StrictInt, Field(ge=_FIRST_S, le=_LAST_S)]
    updates: Annotated[dict[str, str], BeforeValidator(_keep_used_fields)] = Field(
        default_factory=dict
    )

    @property
    def happened_at(self) -> datetime:
        return datetime.fromtimestamp(self.event_time, UTC)

    @property
    def is_revoking(self) -> bool:
        """Whether it says that the athlete has taken the permission back."""
        return self.object_type == EventSubject.ATHLETE and (
            self.aspect_type == EventAspect.DELETE
            or self.updates.get("authorized") == "false"
        )

    @property
    def dedupe_key(self) -> str:
        """Strava gives no event id, so the same content is the same event."""
        content = [
            self.subscription_id,
            self.owner_id,
            self.object_type,
            self.object_id,
            self.aspect_type,
            self.event_time,
            sorted(self.updates.items()),
        ]
        return sha256(json.dumps(content).encode()).hexdigest()


def is_unknown_kind(refusal: ValidationError) -> bool:
    """Whether all that is wrong with a delivery is a kind that we do not know yet."""
    return all(
        detail["type"] == "enum"
        and isinstance(detail["input"], str)
        and len(detail["input"]) <= MAX_KIND_LENGTH
        for detail in refusal.errors()
    )
