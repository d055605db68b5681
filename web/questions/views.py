"""A question's numbers and drawings, as its page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from sync.analytics.dataset.weeks import WEEK_DAYS
from sync.language import format_signed, gettext, localize_number, ngettext
from sync.language import gettext as _
from sync.surveys.instruments import QUESTIONS
from sync.vocabulary import DistanceUnit
from web.charts import mood_rows, timeline
from web.charts.levels import LevelAxis, draw_bar, draw_dot
from web.charts.mood_rows import Dots, MoodRows
from web.charts.scale import AxisLabel
from web.charts.timeline import DatedValues
from web.dashboard.comparison_rows import (
    PanelRow,
    build_difference_rows,
    build_link_rows,
)
from web.dashboard.findings import build_curve
from web.dashboard.run_links import (
    RunLink,
    build_answer_links,
    format_run_count,
)
from web.formats import (
    convert_distance,
    format_number,
    format_short_date,
    mood_to_tile,
)

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel, Series

_SHARE_AXIS = LevelAxis(low=0.0, high=1.0, origin=0.0)


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One group: its number with an interval, how many answers, and a drawing."""

    name: str
    count: str
    center: str
    low: str
    high: str
    label: str
    svg: Markup

    @property
    def cells(self) -> Sequence[str]:
        return (self.name, self.center, self.low, self.high, self.count)


@dataclass(frozen=True, slots=True)
class TimelineView:
    """Two series on one time axis; `rows` are its table, newest first."""

    upper_name: str
    lower_name: str
    upper_svg: Markup
    lower_svg: Markup
    upper_top: str
    lower_top: str
    months: Sequence[AxisLabel]
    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class ScatterView:
    """A dot for each answer along an axis, with the typical mood from 30 on."""

    axis: str
    plot: MoodRows
    has_line: bool
    label: str


@dataclass(frozen=True, slots=True)
class QuestionView:
    """Everything of one question's page; what it does not draw is empty or None."""

    name: str
    kind: str
    row: PanelRow
    run_links: Sequence[RunLink]
    csv: str
    value_name: str
    value_note: str
    claims: Sequence[str]
    means: Sequence[LevelRow]
    ends: Sequence[str]
    shares: Sequence[LevelRow]
    timeline: TimelineView | None
    scatter: ScatterView | None


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """Questions of one kind, in the order of pages."""

    title: str
    questions: Sequence[QuestionView]


def build_question_view(panel: "Panel", unit: DistanceUnit) -> QuestionView:
    from sync.analytics.claims import get_claims_about  # noqa: PLC0415 - see findings

    is_difference = panel.sides is not None and not panel.is_picture
    build_rows = build_difference_rows if is_difference else build_link_rows
    return QuestionView(
        name=panel.name,
        kind=name_kind(panel),
        row=build_rows([panel])[0],
        run_links=list_run_links(panel),
        csv=f"/questions/{panel.name}/numbers.csv",
        value_name=_("Difference") if is_difference else _("Link"),
        value_note=_(
            "A difference in steps of the scale, with the range that it could lie in "
            "(95 %%)."
        )
        if is_difference
        else _(
            "From −1, where one goes up as the other goes down, to +1, where both "
            "go up together."
        ),
        claims=[gettext(claim.text) for claim in get_claims_about(panel.name)],
        means=build_mean_rows(panel),
        ends=name_ends(panel),
        shares=build_share_rows(panel),
        timeline=build_timeline_view(panel, unit),
        scatter=build_scatter_view(panel),
    )


def list_run_links(panel: "Panel") -> list[RunLink]:
    """Return links to the runs that the numbers count, of each group or of all."""
    links = [link for link in build_answer_links(panel) if link.runs_url]
    if panel.sides is not None:
        return links
    count = len(panel.contributing_runs.get("all", ()))
    return [replace(link, text=format_run_count("all", count)) for link in links]


def name_kind(panel: "Panel") -> str:
    """Say how much a question may say: fixed, exploring, a picture, or the host's."""
    if panel.is_of_host:
        return _("Asked by your host")
    if panel.is_picture:
        return _("A picture, never a sentence")
    return _("Exploring") if panel.is_exploratory else _("Fixed in advance")


def group_questions(
    panels: Sequence["Panel"], unit: DistanceUnit
) -> list[QuestionGroup]:
    """Return all questions by kind, in the order of pages."""
    by_kind: dict[str, list[QuestionView]] = {}
    for panel in panels:
        view = build_question_view(panel, unit)
        by_kind.setdefault(view.kind, []).append(view)
    return [QuestionGroup(kind, questions) for kind, questions in by_kind.items()]


def build_mean_rows(panel: "Panel") -> list[LevelRow]:
    """Draw the mean of each group on the scale that was answered."""
    low, high = panel.drawing.value_range
    is_signed = low < 0
    axis = LevelAxis(low=low, high=high, origin=0.0 if is_signed else low)
    return [
        _build_level_row(
            name,
            count=mean.n,
            texts=[
                _format_level(value, is_signed=is_signed)
                for value in (mean.mean, *mean.i95)
            ],
            svg=draw_dot(mean.mean, *mean.i95, axis),
        )
        for name, mean in panel.groups.items()
    ]


def build_share_rows(panel: "Panel") -> list[LevelRow]:
    """Draw each share as a bar from none to all."""
    return [
        _build_level_row(
            name,
            count=share.count,
            texts=[_format_share(value) for value in (share.share, *share.i95)],
            svg=draw_bar(share.share, *share.i95, _SHARE_AXIS),
        )
        for name, share in panel.shares.items()
    ]


def _build_level_row(
    name: str, *, count: int, texts: Sequence[str], svg: Markup
) -> LevelRow:
    center, low, high = texts
    count_text = ngettext("%(n)s answer", "%(n)s answers", count, n=count)
    return LevelRow(
        name=name,
        count=count_text,
        center=center,
        low=low,
        high=high,
        label=_(
            "%(middle)s, anywhere from %(low)s to %(high)s",
            middle=center,
            low=low,
            high=high,
        ),
        svg=svg,
    )


def _format_level(value: float, *, is_signed: bool) -> str:
    if not isfinite(value):
        return _("no end")
    return format_signed(value) if is_signed else localize_number(f"{value:.1f}")


def _format_share(value: float) -> str:
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def name_ends(panel: "Panel") -> list[str]:
    """Return the words at both ends of the scale; none for a change of mood."""
    low, high = (int(end) for end in panel.drawing.value_range)
    keys = (*panel.question_keys, "mood")
    for key in keys:
        question = QUESTIONS.get(key)
        if question is not None and {low, high} <= question.choices.keys():
            choices = question.localize().choices
            if min(choices) == low and max(choices) == high:
                return [choices[low], choices[high]]
    return []


def build_timeline_view(panel: "Panel", unit: DistanceUnit) -> TimelineView | None:
    """Draw both series of a panel over time; None where it has none."""
    pair = panel.timeline
    if pair is None or not len(pair.upper.days) or not len(pair.lower.days):
        return None
    upper, lower = _date_values(pair.upper, unit), _date_values(pair.lower, unit)
    drawing = timeline.draw(upper, lower, upper_top=pair.top)
    upper_name, lower_name = gettext(pair.upper.label), gettext(pair.lower.label)
    if pair.lower.is_distance:
        lower_name = f"{lower_name} ({unit})"
    lower_by_day: Mapping[date, float] = dict(
        zip(lower.days, lower.values, strict=True)
    )
    return TimelineView(
        upper_name=upper_name,
        lower_name=lower_name,
        upper_svg=drawing.upper,
        lower_svg=drawing.lower,
        upper_top=f"{pair.top:g}",
        lower_top=f"{drawing.lower_top}",
        months=drawing.months,
        label=_(
            "%(upper)s above, from %(first)s to %(last)s; %(lower)s below, from "
            "%(least)s to %(most)s.",
            upper=upper_name,
            lower=lower_name,
            first=localize_number(f"{upper.values[0]:.1f}"),
            last=localize_number(f"{upper.values[-1]:.1f}"),
            least=format_number(min(lower.values)),
            most=format_number(max(lower.values)),
        ),
        head=[_("Day"), upper_name, _("Answers"), lower_name],
        rows=[
            [
                format_short_date(day),
                localize_number(f"{value:.1f}"),
                str(count),
                format_number(lower_by_day.get(day, 0.0)),
            ]
            for day, value, count in reversed(
                list(
                    zip(
                        upper.days,
                        upper.values,
                        pair.answer_counts.tolist(),
                        strict=True,
                    )
                )
            )
        ],
    )


def _date_values(series: "Series", unit: DistanceUnit) -> DatedValues:
    values = series.values.tolist()
    if series.is_distance:
        values = [convert_distance(value, unit) for value in values]
    return DatedValues([date.fromordinal(day) for day in series.days.tolist()], values)


def build_scatter_view(panel: "Panel") -> ScatterView | None:
    """Draw a dot for each answer of a panel; None where it has no such axis."""
    scatter = panel.drawing.scatter
    if scatter is None:
        return None
    # Imported here: see `web.dashboard.findings`.
    import numpy as np  # noqa: PLC0415

    from sync.analytics.stats.curve import fit_curve  # noqa: PLC0415

    weeks = np.floor(scatter.days / WEEK_DAYS).astype(np.int64)
    line = build_curve(fit_curve(scatter.x, scatter.mood, weeks), dashed=False)
    n = len(scatter.x)
    dots = Dots(
        distance=scatter.x.tolist(),
        mood=[mood_to_tile(int(mood)) for mood in scatter.mood.tolist()],
        number=[0] * n,
        hollow=[False] * n,
    )
    axis = gettext(scatter.label)
    return ScatterView(
        axis=axis,
        plot=mood_rows.draw(dots, line=line),
        has_line=line is not None,
        label=_(
            "Mood of %(n)s answers along: %(axis)s, from %(least)s to %(most)s.",
            n=n,
            axis=axis,
            least=localize_number(f"{scatter.x.min():.1f}"),
            most=localize_number(f"{scatter.x.max():.1f}"),
        ),
    )


def list_numbers(panel: "Panel") -> list[Sequence[object]]:
    """Return every number of a question's page, as rows of a table.

    The columns are part, name, answers, value, low and high.
    """
    rows: list[Sequence[object]] = []
    if panel.difference is not None:
        value, i95 = panel.difference.difference, panel.difference.i95
        rows.append(("difference", "", panel.answer_count, value, *i95))
    if panel.link is not None:
        value, i95 = panel.link.rho, panel.link.i95
        rows.append(("link", "", panel.answer_count, value, *i95))
    for name, mean in panel.groups.items():
        rows.append(("mean", name, mean.n, mean.mean, *mean.i95))
    for name, share in panel.shares.items():
        rows.append(("share", name, share.count, share.share, *share.i95))
    if panel.timeline is not None:
        upper, counts = panel.timeline.upper, panel.timeline.answer_counts
        for day, count, value in zip(
            upper.days.tolist(), counts.tolist(), upper.values.tolist(), strict=True
        ):
            name = date.fromordinal(day).isoformat()
            rows.append((upper.label, name, count, value, None, None))
    return [[_round(value) for value in row] for row in rows]


def _round(value: object) -> object:
    if not isinstance(value, float):
        return value
    return round(value, 4) if isfinite(value) else None
