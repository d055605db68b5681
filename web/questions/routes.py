"""The list of all questions to a runner's answers, and the page of each."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from sync.language import DEFAULT_LANGUAGE, activate_language, gettext
from sync.safe_csv import write_csv
from web.dashboard.all_figures import load_all_figures, load_host_questions
from web.dashboard.encoded_files import respond_with_file
from web.formats import parse_unit
from web.http.problems import NOT_FOUND
from web.http.session import login_required, require_runner
from web.questions.views import build_question_view, group_questions, list_numbers
from web.runtime import runtime

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

NUMBER_COLUMNS = ("part", "name", "answers", "value", "low", "high")

blueprint = Blueprint("questions", __name__, url_prefix="/questions")


@blueprint.get("")
@login_required
def questions_page() -> ResponseReturnValue:
    figures = load_all_figures(runtime(), require_runner().runner_id)
    unit = parse_unit(require_runner().units)
    return render_template(
        "questions/questions.html",
        groups=group_questions(figures.panels, unit),
        notes=figures.notes,
    )


@blueprint.get("/<name>")
@login_required
def question_page(name: str) -> ResponseReturnValue:
    panel = _find_panel(name)
    if panel is None:
        title = gettext(_find_title(name))
        return render_template("questions/question.html", title=title, question=None)
    view = build_question_view(panel, parse_unit(require_runner().units))
    return render_template(
        "questions/question.html", title=view.row.title, question=view
    )


@blueprint.get("/<name>/numbers.csv")
@login_required
def numbers_csv(name: str) -> ResponseReturnValue:
    with activate_language(DEFAULT_LANGUAGE):
        panel = _find_panel(name)
        if panel is None:
            abort(NOT_FOUND.status)
        return respond_with_file(
            lambda: write_csv(NUMBER_COLUMNS, list_numbers(panel)),
            download_name=f"moodmiles-{panel.name.replace('_', '-')}.csv",
            variant=panel.name,
        )


def _find_panel(name: str) -> "Panel | None":
    """Return the runner's panel; None where its question was never answered."""
    panels = load_all_figures(runtime(), require_runner().runner_id).panels
    return next((panel for panel in panels if panel.name == name), None)


def _find_title(name: str) -> str:
    """Return the title of a panel that this runner does not have, or answer 404."""
    from sync.analytics.panels.discovery import list_panels  # noqa: PLC0415

    titles = {panel.name: panel.title for panel in list_panels()} | {
        question.panel_name: question.text
        for question in load_host_questions(runtime())
    }
    if name not in titles:
        abort(NOT_FOUND.status)
    return titles[name]
