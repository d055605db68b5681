"""Where to find someone to talk to, on one page that is never far away."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.support.directory import ANYWHERE, countries, support
from web.formats import country
from web.help.local_support import nearby

blueprint = Blueprint("help", __name__)


@blueprint.get("/help")
def help_page() -> ResponseReturnValue:
    by_name = {country(code): support(code) for code in countries()}
    named = sorted(by_name.items(), key=lambda pair: pair[0])
    return render_template(
        "help.html", named=named, anywhere=support(ANYWHERE), nearby=nearby()
    )
