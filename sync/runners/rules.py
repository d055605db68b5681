"""What a runner must agree to, and which addresses we write to.  Pure."""

import re
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from sync import consent_version
from sync.errors import ConsentMissing, InvalidAddress
from sync.language import translatable
from sync.mail_address import encode_host
from sync.strava import SCOPE, SCOPE_WITH_PRIVATE
from sync.vocabulary import ConsentKind, MailLinkPurpose

CONSENT_VERSION = consent_version.VERSION
STATE_LIFE = timedelta(minutes=30)
MAIL_LINK_LIFE = {
    MailLinkPurpose.CONFIRM_ADDRESS: timedelta(days=2),
    MailLinkPurpose.SIGN_IN: timedelta(minutes=15),
    MailLinkPurpose.UNDO_ADDRESS: timedelta(days=7),
    MailLinkPurpose.UNDO_STRAVA: timedelta(days=7),
}
SIGN_IN_LIFE = timedelta(days=90)
SIGN_IN_IDLE = timedelta(days=30)
# How long a sign-in is fresh enough to change a way in, or to take or delete all.
FRESH_SIGN_IN = timedelta(minutes=10)
# Until an address is that old, whoever had the account before may not know of it.
PROVEN_ADDRESS_AGE = MAIL_LINK_LIFE[MailLinkPurpose.UNDO_ADDRESS]
_MIN_DAYS = 28

# What a browser takes for an address, with a dot in the name of its host.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(
    rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ConsentChoices:
    """The boxes of the consent page, each its own, none ticked beforehand."""

    strava: bool = False
    mood: bool = False
    mail: bool = False
    adult: bool = False
    private: bool = False

    def require_mandatory(self) -> None:
        """Raise `ConsentMissing` unless everything needed was agreed to."""
        if not (self.strava and self.mood and self.adult):
            raise ConsentMissing(
                "Please tick the boxes for Strava, for your mood answers and for "
                "your age: without them there is nothing that we may do."
            )

    @property
    def scope(self) -> str:
        return SCOPE_WITH_PRIVATE if self.private else SCOPE

    @property
    def kinds(self) -> list[ConsentKind]:
        return [
            ConsentKind(field.name)
            for field in fields(self)
            if getattr(self, field.name)
        ]


def may_read_runs(scope: str) -> bool:
    """Whether the boxes that the runner left ticked at Strava are enough."""
    return bool(_split_scopes(scope) & {"activity:read", "activity:read_all"})


def may_read_private(scope: str) -> bool:
    """Whether the link shows runs that only their runner can see."""
    return "activity:read_all" in _split_scopes(scope)


def _split_scopes(scope: str) -> set[str]:
    return set(re.split(r"[,\s]+", scope))


def estimate_total(
    imported: int, *, started: date, reached: date | None, member_since: date | None
) -> int | None:
    """Guess how many runs an import will bring, from how many came so far.

    None when there is nothing to go by: too short a stretch was seen, or runs
    from before the runner joined Strava, of which nobody knows how many follow.
    """
    if reached is None or member_since is None or reached < member_since:
        return None
    seen_days = (started - reached).days
    if seen_days < _MIN_DAYS:
        return None
    return round(imported * (started - member_since).days / seen_days)


def is_address_proven(
    confirmed_at: datetime | None, *, now: datetime, has_other_way: bool
) -> bool:
    """Whether a link to a runner's address proves that the runner is who comes.

    `has_other_way`: the runner can sign in by Strava, or can still undo the change
    that made this the address.  Then a new address may be that of a thief, so it
    has to be seven days old.
    """
    if confirmed_at is None:
        return False
    return not has_other_way or now - confirmed_at >= PROVEN_ADDRESS_AGE


def normalize_address(text: str) -> str:
    """Return the address, its host in ASCII, or raise `InvalidAddress`."""
    local_part, at, host = text.strip().rpartition("@")
    try:
        address = f"{local_part}{at}{encode_host(host)}"
    except ValueError:
        address = ""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise InvalidAddress(
            translatable("That does not look like an e-mail address: please check it.")
        )
    return address
