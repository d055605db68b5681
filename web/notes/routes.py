"""All lines of a runner on one page, to read, to search and to change.

What is searched for is sent in a form: an address would stand in the browser's history
and in the logs of proxies.
"""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext
from sync.surveys.answering import own_notes
from web.http.limits import rate_limited, runner_subject
from web.http.session import login_required, require_runner
from web.notes.views import NoteDraft, build_note_views
from web.runtime import runtime

blueprint = Blueprint("notes", __name__, url_prefix="/notes")


@blueprint.get("")
@login_required
def notes_page() -> ResponseReturnValue:
    return _render_notes(words="", page=_parse_page(request.args.get("page")))


@blueprint.post("")
@login_required
def search() -> ResponseReturnValue:
    """Show the lines that hold the words; nothing is stored of these."""
    words = request.form.get("words", "")[: own_notes.MAX_NOTE_LENGTH]
    return _render_notes(words=words, page=_parse_page(request.form.get("page")))


def _render_form(answer_id: int, *, refused: str) -> str:
    """Show the page with what was written in the field of this answer."""
    draft = NoteDraft(answer_id, request.form.get("note", ""))
    return _render_notes(words="", page=1, refused=refused, draft=draft)


@blueprint.post("/<int:answer_id>")
@login_required
@rate_limited("answer", runner_subject, render_form=_render_form)
def change(answer_id: int) -> ResponseReturnValue:
    """Change a line, or remove it."""
    try:
        own_notes.save_for_answer(
            runtime(),
            runner_id=require_runner().runner_id,
            answer_id=answer_id,
            text=request.form.get("note", ""),
        )
    except own_notes.InvalidNote as error:
        page = _render_form(answer_id, refused=gettext(str(error)))
        return page, HTTPStatus.BAD_REQUEST
    return redirect(url_for(".notes_page"), HTTPStatus.SEE_OTHER)


def _render_notes(
    *, words: str, page: int, refused: str = "", draft: NoteDraft | None = None
) -> str:
    runner = require_runner()
    notes_page = own_notes.load_notes_page(
        runtime(), runner.runner_id, words=words, page=page
    )
    return render_template(
        "notes/notes.html",
        notes_page=notes_page,
        notes=build_note_views(notes_page, zone=runner.zone, draft=draft),
        words=words,
        refused=refused,
    )


def _parse_page(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else 1
