"""The claims as their page shows them: a line each, in the reader's language."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING

from sync.language import gettext, localize_number, ngettext, translatable
from sync.language import gettext as _
from sync.preferences import Preferences, find_row
from sync.safe_csv import write_csv
from sync.surveys.instruments import QUESTIONS
from sync.time_zones import to_local
from sync.vocabulary import ClaimStatus
from web.dashboard.comparison_rows import format_end
from web.dashboard.run_links import RunLink, build_answer_links
from web.formats import format_short_date, format_thousands

if TYPE_CHECKING:
    from sync.analytics.claim_answers import ClaimAnswer, PanelAnswer, Shortfall
    from sync.analytics.figures import Figures
    from sync.analytics.panels.panel import Panel
    from sync.analytics.stats.series import Interval

COLUMNS = (
    *("claim", "article", "answer", "agrees", "question", "title", "answers"),
    *("value", "low", "high", "words_low", "words_high", "sentence", "reason"),
)
# Bars of the sign beside a status, of three.
_STRENGTH = {ClaimStatus.CLEAR: 3, ClaimStatus.EARLY: 2, ClaimStatus.NO_LINK: 1}
_STATUS_LABELS: Mapping[ClaimStatus, str] = {
    ClaimStatus.EARLY: translatable("Early sign"),
    ClaimStatus.NO_LINK: translatable("No clear link so far"),
    ClaimStatus.NOT_ASKED: translatable("You have not been asked yet"),
    ClaimStatus.PICTURE: translatable("Picture only"),
    ClaimStatus.UNTESTABLE: translatable("Not testable on one person"),
}
_SLIGHT, _CLEAR = 0.1, 0.3
# With this many characters the sheet is three quarters full.
_MAX_CHARACTERS = 2_600


@dataclass(frozen=True, slots=True)
class OtherPicture:
    """A further panel of a claim: its title, its page, and its status."""

    title: str
    url: str
    kind: str
    status: str


@dataclass(frozen=True, slots=True)
class OffSetting:
    """A setting that is off: its label, its place on the settings page, its questions.

    `questions` are the texts of those of its choices that the claim needs.
    """

    label: str
    url: str
    questions: Sequence[str]


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One claim: what the article says, what the runner's answers say, how sure.

    `kind` is the status as a class of the style sheet; `strength` are the bars of its
    sign, 0 for none.  `picture_url` is empty without a picture.
    """

    number: int
    article: str
    kind: str
    status: str
    strength: int
    sentence: str
    certainty: str
    notes: Sequence[str]
    picture_url: str
    run_links: Sequence[RunLink]
    others: Sequence[OtherPicture]
    settings_off: Sequence[OffSetting]


@dataclass(frozen=True, slots=True)
class ClaimsView:
    """The whole page; `answered` says how many answers of how many that were asked."""

    lines: Sequence[ClaimLine]
    day: str
    answered: str
    counts: Sequence[str]
    fairness: Sequence[str]

    @property
    def is_dense(self) -> bool:
        """Whether there is so much text that it fits on paper in small type alone."""
        texts = [
            text
            for line in self.lines
            for text in (line.sentence, line.certainty, *line.notes)
        ]
        return sum(map(len, texts)) > _MAX_CHARACTERS


def build_claims_view(
    figures: "Figures", preferences: Preferences, *, now: datetime, zone: str
) -> ClaimsView:
    # Imported here: see `web.dashboard.findings`.
    from sync.analytics.claim_answers import answer_claims  # noqa: PLC0415
    from sync.analytics.panels.definition import (  # noqa: PLC0415
        list_fairness_remarks,
    )
    from sync.analytics.sentences.catalogue import NOTES  # noqa: PLC0415

    answers = answer_claims(figures.panels, preferences)
    answered = [
        remark.render()
        for remark in figures.remarks
        if remark.text == NOTES["answered"]
    ]
    return ClaimsView(
        lines=[build_line(answer) for answer in answers],
        day=format_short_date(to_local(now, zone)),
        answered=answered[0] if answered else _("No answers yet."),
        counts=count_statuses(answers),
        fairness=[remark.render() for remark in list_fairness_remarks()],
    )


def build_line(answer: "ClaimAnswer") -> ClaimLine:
    claim, main = answer.claim, answer.main
    is_asked = main is not None and answer.status is not ClaimStatus.NOT_ASKED
    return ClaimLine(
        number=claim.number,
        article=gettext(claim.text),
        kind=name_kind(answer.status),
        status=label_status(answer),
        strength=_STRENGTH.get(answer.status, 0),
        sentence=find_sentence(answer),
        certainty=describe_certainty(main) if main and is_asked else "",
        notes=list_changes(main.panel) if main else [],
        picture_url=f"/questions/{main.panel.name}" if main and is_asked else "",
        run_links=list_run_links(main.panel) if main and is_asked else [],
        others=[build_other(other) for other in answer.others],
        settings_off=[
            OffSetting(
                label_setting(name),
                f"/settings#{name.replace('_', '-')}",
                [QUESTIONS[key].localize().text for key in keys if key in QUESTIONS],
            )
            for name, keys in answer.settings_off.items()
            if answer.status in {ClaimStatus.NOT_ASKED, ClaimStatus.TOO_FEW}
        ],
    )


def name_kind(status: ClaimStatus) -> str:
    return status.name.lower().replace("_", "-")


def list_run_links(panel: "Panel") -> list[RunLink]:
    """Return links to the runs that a panel counts: of each side, or of all."""
    links = [link for link in build_answer_links(panel) if link.runs_url]
    if panel.sides is not None:
        return links
    count = len(panel.contributing_runs.get("all", ()))
    text = ngettext("%(n)s run", "%(n)s runs", count, n=format_thousands(count))
    return [replace(link, text=text) for link in links]


def build_other(other: "PanelAnswer") -> OtherPicture:
    return OtherPicture(
        title=other.panel.title,
        url=f"/questions/{other.panel.name}",
        kind=name_kind(other.status),
        status=label_panel_status(other),
    )


def find_sentence(answer: "ClaimAnswer") -> str:
    """Return the panel's own sentence, or why there is none."""
    match answer.status:
        case ClaimStatus.UNTESTABLE:
            return gettext(answer.claim.reason)
        case ClaimStatus.NOT_ASKED:
            return ""
        case ClaimStatus.TOO_FEW:
            is_withdrawn = answer.main is not None and answer.main.shortfall is None
            return answer.main.panel.sentence if answer.main and is_withdrawn else ""
        case _:
            return answer.main.panel.sentence if answer.main else ""


def label_status(answer: "ClaimAnswer") -> str:
    if answer.main is None or answer.status in {
        ClaimStatus.NOT_ASKED,
        ClaimStatus.UNTESTABLE,
    }:
        return gettext(
            _STATUS_LABELS.get(answer.status) or translatable("0 of 30 answers")
        )
    return label_panel_status(answer.main)


def label_panel_status(answer: "PanelAnswer") -> str:
    """Say in a few words what a panel says, and whether it agrees with the article."""
    if answer.status is ClaimStatus.CLEAR:
        return {
            True: _("Clear for you"),
            False: _("Clear for you, the other way round"),
            None: _("A clear pattern for you"),
        }[answer.agrees]
    if answer.status is ClaimStatus.TOO_FEW:
        return describe_shortfall(answer.shortfall)
    return gettext(_STATUS_LABELS[answer.status])


def describe_shortfall(shortfall: "Shortfall | None") -> str:
    """Say how many observations there are of how many that are needed."""
    if shortfall is None:
        return _("Too few answers left")
    count, needed = shortfall.count, shortfall.needed
    match shortfall.kind:
        case "runs":
            return _("%(n)s of %(needed)s runs", n=count, needed=needed)
        case "weeks":
            return _("%(n)s of %(needed)s weeks", n=count, needed=needed)
        case "stretches":
            return _("%(n)s of %(needed)s times four weeks", n=count, needed=needed)
        case "_each":
            return _(
                "%(n)s of %(needed)s answers on the smaller side",
                n=count,
                needed=needed,
            )
        case _:
            return _("%(n)s of %(needed)s answers", n=count, needed=needed)


def describe_certainty(answer: "PanelAnswer") -> str:
    """Say in words where a number could lie, by the interval that words go by."""
    panel = answer.panel
    if answer.status is ClaimStatus.TOO_FEW:
        return ""
    count = ngettext(
        "%(n)s answer",
        "%(n)s answers",
        panel.answer_count,
        n=format_thousands(panel.answer_count),
    )
    span = describe_span(panel) if panel.verdict not in {"best", "early"} else ""
    return f"{count}: {span}." if span else f"{count}."


def describe_span(panel: "Panel") -> str:
    """Say where a panel's number could lie; empty for a panel without an interval."""
    if panel.shares and not panel.link:
        share = next(iter(panel.shares.values()))
        return _(
            "anywhere from %(low)s to %(high)s",
            low=_format_share(share.i95[0]),
            high=_format_share(share.i95[1]),
        )
    interval = panel.words_interval
    if interval is None or panel.is_picture:
        return ""
    if panel.difference is not None and panel.sides is not None:
        scale = panel.drawing.value_range[1] - panel.drawing.value_range[0]
        return _(
            "%(side)s anywhere from %(low)s to %(high)s",
            side=gettext(panel.sides.first),
            low=_describe_steps(interval[0], scale),
            high=_describe_steps(interval[1], scale),
        )
    return _describe_link_span(interval)


def _describe_link_span(interval: "Interval") -> str:
    low, high = interval
    words_low, words_high = _describe_link(low), _describe_link(high)
    numbers = _("%(low)s to %(high)s", low=format_end(low), high=format_end(high))
    if words_low == words_high:
        return f"{words_low} ({numbers})"
    return _(
        "anywhere from %(low)s to %(high)s (%(numbers)s)",
        low=words_low,
        high=words_high,
        numbers=numbers,
    )


def _describe_steps(steps: float, scale: float) -> str:
    """Describe a difference of two groups whose values lie `scale` steps apart."""
    if abs(steps) >= scale:
        return _("the whole scale higher") if steps > 0 else _("the whole scale lower")
    rounded = round(steps, 1)
    if not rounded:
        return _("no difference")
    text = localize_number(f"{abs(rounded):.1f}")
    if rounded > 0:
        return _("%(steps)s steps higher", steps=text)
    return _("%(steps)s steps lower", steps=text)


def _describe_link(rho: float) -> str:
    if abs(rho) < _SLIGHT:
        return _("no link")
    if rho > 0:
        return _("clearly together") if rho > _CLEAR else _("slightly together")
    return _("clearly opposite") if rho < -_CLEAR else _("slightly opposite")


def _format_share(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def list_changes(panel: "Panel") -> list[str]:
    """Return the remarks that say that later answers look otherwise."""
    from sync.analytics.sentences.catalogue import NOTES  # noqa: PLC0415

    changes = {NOTES["more_today"], NOTES["less_today"]}
    return [
        remark.render(panel.unit)
        for remark in panel.drawing.remarks
        if remark.text in changes
    ]


def label_setting(name: str) -> str:
    """Name a setting as its page does."""
    row = find_row(name)
    return gettext(row.label) if row else name


def count_statuses(answers: Sequence["ClaimAnswer"]) -> list[str]:
    """Say how many of the claims have which answer, for those that have any."""
    labels = {
        ClaimStatus.CLEAR: _("Clear for you"),
        ClaimStatus.TOO_FEW: _("Not enough answers yet"),
    } | {status: gettext(label) for status, label in _STATUS_LABELS.items()}
    numbers = Counter(answer.status for answer in answers)
    return [
        f"{labels[status]}: {numbers[status]}"
        for status in ClaimStatus
        if numbers[status]
    ]


def build_claims_csv(figures: "Figures", preferences: Preferences) -> str:
    """Return a row for each panel of each claim, the one that speaks first."""
    from sync.analytics.claim_answers import answer_claims  # noqa: PLC0415

    rows: list[Sequence[object]] = []
    for answer in answer_claims(figures.panels, preferences):
        claim = answer.claim
        start = (claim.number, gettext(claim.text))
        if answer.main is None:
            empty = (None,) * (len(COLUMNS) - 4)
            rows.append((*start, answer.status.value, *empty, gettext(claim.reason)))
            continue
        rows.append(
            (*start, answer.status.value, *_list_panel_values(answer.main), None)
        )
        rows += [
            (*start, other.status.value, *_list_panel_values(other), None)
            for other in answer.others
        ]
    return write_csv(COLUMNS, rows)


def _list_panel_values(answer: "PanelAnswer") -> list[object]:
    panel = answer.panel
    numbers: list[float] = [float("nan")] * 5
    if panel.difference is not None:
        numbers = [panel.difference.difference, *panel.difference.i95]
        numbers += panel.words_interval or ()
    elif panel.link is not None:
        numbers = [panel.link.rho, *panel.link.i95, *(panel.words_interval or ())]
    elif panel.shares:
        share = next(iter(panel.shares.values()))
        numbers = [share.share, *share.i95]
    elif panel.groups:
        mean = next(iter(panel.groups.values()))
        numbers = [mean.mean, *mean.i95]
    numbers += [float("nan")] * (5 - len(numbers))
    return [
        {True: "yes", False: "no", None: None}[answer.agrees],
        panel.name,
        panel.title,
        panel.answer_count,
        *(round(value, 4) if isfinite(value) else None for value in numbers),
        panel.sentence,
    ]
