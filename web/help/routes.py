"""Where to find someone to talk to, on one page that is never far away."""

from collections.abc import Mapping

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.analytics.support import ANYWHERE, countries, support

blueprint = Blueprint("help", __name__)

NAMES: Mapping[str, str] = {
    "AU": "Australia",
    "CA": "Canada",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "NL": "Netherlands",
    "NZ": "New Zealand",
    "US": "United States",
}


@blueprint.get("/help")
def help_page() -> ResponseReturnValue:
    by_name = {NAMES.get(code, code): support(code) for code in countries()}
    named = sorted(by_name.items(), key=lambda pair: pair[0])
    return render_template("help.html", named=named, anywhere=support(ANYWHERE))
