"""What a runner's own answers say of each of the article's claims.

Nothing is decided here: a claim says what the panels that are about it say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.analytics.claims import CLAIMS, Claim
from sync.analytics.dataset.history import FOCUS_KEYS
from sync.analytics.panels.panel import Panel
from sync.analytics.sentences.catalogue import NOTES
from sync.analytics.sentences.milestones import FIRST_MILESTONE
from sync.analytics.stats.groups import MIN_GROUP_TO_CLAIM
from sync.preferences import Choice, Preferences, find_row
from sync.vocabulary import ClaimStatus

# Settings that are on or off; the other questions of a claim are chosen from a list.
_SWITCHES = ("checkins", "stress", "context")
# Of these, the ones that are not named like the question that they ask.
_NO_QUESTIONS = ("checkins", "context")
_STATUS_BY_VERDICT: Mapping[str, ClaimStatus] = {
    "higher": ClaimStatus.CLEAR,
    "lower": ClaimStatus.CLEAR,
    "best": ClaimStatus.CLEAR,
    "early": ClaimStatus.EARLY,
    "none": ClaimStatus.NO_LINK,
}
_TOO_FEW_KINDS: Mapping[str, str] = {
    text: key.removeprefix("too_few").removeprefix(".")
    for key, text in NOTES.items()
    if key.startswith("too_few")
}


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How many observations there are, and how many words or a picture need.

    `kind` is the end of the note's key: runs, answers, weeks or stretches, or "_each"
    for those on the smaller of two sides.
    """

    count: int
    needed: int
    kind: str


@dataclass(frozen=True, slots=True)
class PanelAnswer:
    """What one panel says of a claim.

    `agrees` tells whether a clear sentence says the same as the article: None without
    one, and for a panel that says neither yes nor no.
    """

    panel: Panel
    status: ClaimStatus
    agrees: bool | None
    shortfall: Shortfall | None


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """What a runner's answers say of one claim.

    `main` is the answer of the first of its panels that the runner has, `others` are
    those of the rest; without any answer to its questions there is no panel.
    `settings_off` maps each setting that would have to change for more answers to the
    questions that it then asks, any of which is enough.
    """

    claim: Claim
    status: ClaimStatus
    main: PanelAnswer | None
    others: Sequence[PanelAnswer]
    settings_off: Mapping[str, Sequence[str]]


def answer_claims(
    panels: Sequence[Panel], preferences: Preferences
) -> list[ClaimAnswer]:
    """Return the answer to each claim, in the article's order."""
    panels_by_name = {panel.name: panel for panel in panels}
    return [answer_claim(claim, panels_by_name, preferences) for claim in CLAIMS]


def answer_claim(
    claim: Claim, panels_by_name: Mapping[str, Panel], preferences: Preferences
) -> ClaimAnswer:
    """Take the answer of the first panel; which of several speaks is never chosen."""
    answers = [
        answer_by_panel(claim, panels_by_name[name])
        for name in claim.panels
        if name in panels_by_name
    ]
    main = answers[0] if answers else None
    answered = None if main is None or _is_empty(main) else main.panel
    settings_off = list_settings_off(claim, preferences, answered)
    if not claim.is_testable:
        status = ClaimStatus.UNTESTABLE
    elif settings_off and answered is None:
        status = ClaimStatus.NOT_ASKED
    else:
        status = main.status if main else ClaimStatus.TOO_FEW
    return ClaimAnswer(claim, status, main, answers[1:], settings_off)


def answer_by_panel(claim: Claim, panel: Panel) -> PanelAnswer:
    """Return what a panel's standing decision, or its picture, says of a claim."""
    if panel.decision is not None:
        outcome = panel.decision.outcome
        status = _STATUS_BY_VERDICT.get(outcome.verdict, ClaimStatus.TOO_FEW)
        is_clear = status is ClaimStatus.CLEAR
        agrees = claim.agrees_with(outcome.sentence_key) if is_clear else None
        return PanelAnswer(panel, status, agrees, None)
    shortfall = find_shortfall(panel)
    status = ClaimStatus.TOO_FEW if shortfall else ClaimStatus.PICTURE
    return PanelAnswer(panel, status, None, shortfall)


def find_shortfall(panel: Panel) -> Shortfall | None:
    """Return what an undecided panel says is missing; None for a picture that is drawn.

    A panel says what its number needs first; here it is what its words need.
    """
    kind = _TOO_FEW_KINDS.get(panel.finding.sentence.title)
    count, needed = (panel.finding.facts.get(name) for name in ("n", "needed"))
    if kind is None or not isinstance(count, int) or not isinstance(needed, int):
        return None
    if not panel.is_picture:
        needed = MIN_GROUP_TO_CLAIM if kind == "_each" else FIRST_MILESTONE
    return Shortfall(count, needed, kind)


def list_settings_off(
    claim: Claim, preferences: Preferences, panel: Panel | None
) -> dict[str, Sequence[str]]:
    """Return the settings that keep questions from being asked, with these questions.

    They are those that `panel` uses, and without a panel with answers the claim's.
    """
    keys = [
        key
        for key in claim.questions
        if panel is None or key in (*panel.question_keys, *_NO_QUESTIONS)
    ]
    off: dict[str, Sequence[str]] = {}
    for name in _SWITCHES:
        if name in keys and not getattr(preferences, name):
            off[name] = ()
    for setting, offered in _list_choices().items():
        wanted = [key for key in keys if key in offered]
        if wanted and setting == "checkin_focus" and not preferences.checkins:
            off["checkins"] = ()
        if wanted and getattr(preferences, setting) not in wanted:
            off[setting] = wanted
    return off


def _list_choices() -> Mapping[str, Sequence[str]]:
    """Return the questions that each setting with a list offers."""
    at_check_ins = find_row("checkin_focus")
    return {
        "focus": FOCUS_KEYS,
        "checkin_focus": [key for key in at_check_ins.choices if key]
        if isinstance(at_check_ins, Choice)
        else [],
    }


def _is_empty(answer: PanelAnswer) -> bool:
    return answer.shortfall is not None and answer.shortfall.count == 0
