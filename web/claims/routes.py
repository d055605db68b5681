"""The page of the article's claims, and its table as a file."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.language import DEFAULT_LANGUAGE, activate_language
from sync.runners.preferences import load_preferences
from web.claims.views import build_claims_csv, build_claims_view
from web.dashboard.all_figures import load_all_figures
from web.dashboard.encoded_files import respond_with_file
from web.http.session import login_required, require_runner
from web.runtime import runtime

blueprint = Blueprint("claims", __name__)


@blueprint.get("/claims")
@login_required
def claims_page() -> ResponseReturnValue:
    runner = require_runner()
    return render_template(
        "claims/claims.html",
        view=build_claims_view(
            load_all_figures(runtime(), runner.runner_id),
            load_preferences(runtime(), runner.runner_id),
            now=runtime().now(),
            zone=runner.zone,
        ),
    )


@blueprint.get("/claims.csv")
@login_required
def claims_csv() -> ResponseReturnValue:
    runner_id = require_runner().runner_id
    preferences = load_preferences(runtime(), runner_id)
    with activate_language(DEFAULT_LANGUAGE):
        return respond_with_file(
            lambda: build_claims_csv(
                load_all_figures(runtime(), runner_id), preferences
            ),
            download_name="moodmiles-claims.csv",
            # What is asked changes a row, and no figure.
            variant=repr(preferences),
        )
