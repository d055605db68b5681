"""One delivery from Strava, parsed: their words in, ours out."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sync.bounds import MAX_ID
from sync.vocabulary import EventAspect, EventSubject


def _stringify_values(value: object) -> object:
    """Strava sends "true"; a lenient sender might send true."""
    if not isinstance(value, dict):
        return value
    return {str(key): str(item).lower() for key, item in value.items()}


class WebhookDelivery(BaseModel):
    """The body of a webhook POST; anything else is refused."""

    model_config = ConfigDict(frozen=True)

    object_type: EventSubject
    object_id: Annotated[int, Field(ge=0, le=MAX_ID)]
    aspect_type: EventAspect
    owner_id: Annotated[int, Field(ge=0, le=MAX_ID)]
    subscription_id: Annotated[int, Field(ge=0, le=MAX_ID)]
    event_time: datetime
    updates: Annotated[dict[str, str], BeforeValidator(_stringify_values)] = Field(
        default_factory=dict
    )

    @property
    def dedupe_key(self) -> str:
        """Strava gives no event id, so the same content is the same event."""
        content = [
            self.subscription_id,
            self.object_type,
            self.object_id,
            self.aspect_type,
            int(self.event_time.timestamp()),
            sorted(self.updates.items()),
        ]
        return sha256(json.dumps(content).encode()).hexdigest()
