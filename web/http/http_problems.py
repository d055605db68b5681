"""What to tell a person when HTTP itself says no, by its number."""

from http import HTTPStatus

from sync.language import translatable
from web.http.problems import NOT_FOUND, Problem

BY_STATUS: dict[int, Problem] = {
    HTTPStatus.BAD_REQUEST: Problem(
        HTTPStatus.BAD_REQUEST,
        translatable("We could not read that."),
        translatable(
            "What your browser sent does not make sense to us, so nothing was saved."
        ),
    ),
    HTTPStatus.FORBIDDEN: Problem(
        HTTPStatus.FORBIDDEN,
        translatable("This page was open for too long."),
        translatable(
            "To keep strangers from sending forms in your name, each form works only "
            "in the browser that opened it. Nothing was saved: go back, reload the "
            "page and send it once more."
        ),
    ),
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        translatable("That does not work here."),
        translatable("This address cannot be used in that way. Nothing was changed."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        translatable("That is too much at once."),
        translatable(
            "What your browser sent is larger than anything we expect, so nothing was "
            "saved."
        ),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        translatable("That was a lot in a short time."),
        translatable("Please wait a few minutes, then try again."),
    ),
}
