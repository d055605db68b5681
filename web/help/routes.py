"""Where to find someone to talk to, on one page that is never far away."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.support.directory import ANYWHERE, find_helplines, list_countries
from web.formats import country_name
from web.help.local_support import find_local_support

blueprint = Blueprint("help", __name__)


@blueprint.get("/help")
def help_page() -> ResponseReturnValue:
    support_by_country = {
        country_name(code): find_helplines(code) for code in list_countries()
    }
    countries_by_name = sorted(support_by_country.items(), key=lambda pair: pair[0])
    return render_template(
        "help.html",
        named=countries_by_name,
        anywhere=find_helplines(ANYWHERE),
        nearby=find_local_support(),
    )
