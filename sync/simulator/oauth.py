"""Strava's OAuth site: the consent page, tokens and their revocation."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sync.simulator import grants, refusals
from sync.simulator.world import World

ALWAYS_ALLOWED_HOSTS = {"127.0.0.1", "localhost"}


class OAuth:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("oauth", __name__)
        for path in ("/oauth/authorize", "/oauth/mobile/authorize"):
            blueprint.add_url_rule(path, view_func=self.authorize)
            blueprint.add_url_rule(path, view_func=self.decide, methods=["POST"])
        for path in ("/oauth/token", "/api/v3/oauth/token"):
            blueprint.add_url_rule(path, view_func=self.token, methods=["POST"])
        blueprint.add_url_rule("/oauth/revoke", view_func=self.revoke, methods=["POST"])
        for path in ("/oauth/deauthorize", "/api/v3/oauth/deauthorize"):
            blueprint.add_url_rule(path, view_func=self.deauthorize, methods=["POST"])
        return blueprint

    def authorize(self) -> ResponseReturnValue:
        """Ask the athlete which of the requested permissions the app may have."""
        self._check_request()
        if self._world.app.inactive:
            return _render_refusal("This app is not active.")
        with self._world.transaction():
            athletes = sorted(self._world.athletes, key=lambda athlete: athlete.id)
            activity_counts = [
                len(self._world.list_activities(athlete.id)) for athlete in athletes
            ]
        return render_template(
            "consent.html",
            athletes=list(zip(athletes, activity_counts, strict=True)),
            scopes=[
                (scope, grants.SCOPES[scope]) for scope in _read_requested_scopes()
            ],
        )

    def decide(self) -> ResponseReturnValue:
        """Redirect the athlete to the app with a code, or with `access_denied`."""
        self._check_request()
        if request.form.get("decision") != "authorize":
            return _redirect_to_app(error="access_denied")
        athlete_id = request.form.get("athlete", 0, type=int)
        chosen_scopes = {"read", *request.form.getlist("scope")}
        scope = ",".join(
            requested_scope
            for requested_scope in _read_requested_scopes()
            if requested_scope in chosen_scopes
        )
        with self._world.transaction():
            if athlete_id not in self._world.athletes:
                return _render_refusal("Choose one of the athletes.", 400)
            if grants.is_athlete_limit_reached(self._world, athlete_id):
                return _render_refusal("Limit of connected athletes exceeded.")
            code = grants.issue_code(self._world, athlete_id, scope)
        return _redirect_to_app(code=code, scope=scope)

    def token(self) -> dict[str, Any]:
        fields = request.form or request.args
        app = self._world.app
        for field in ("client_id", "client_secret"):
            if fields.get(field) != getattr(app, field):
                raise refusals.bad_request("Application", field, "invalid")
        with self._world.transaction():
            match fields.get("grant_type"):
                case "authorization_code":
                    return grants.exchange_code(self._world, fields.get("code", ""))
                case "refresh_token":
                    refresh_token = fields.get("refresh_token", "")
                    return grants.refresh_tokens(self._world, refresh_token)
                case _:
                    raise refusals.bad_request("Application", "grant_type", "invalid")

    def revoke(self) -> ResponseReturnValue:
        """End a grant by either of its tokens; an unknown token is no error."""
        authorization = request.authorization
        app = self._world.app
        credentials = (app.client_id, app.client_secret)
        if (
            authorization is None
            or (authorization.get("username"), authorization.get("password"))
            != credentials
        ):
            raise refusals.invalid_client("client_id")
        with self._world.transaction():
            grants.revoke_token(self._world, request.form.get("token", ""))
        return "", 200

    def deauthorize(self) -> dict[str, str]:
        """End a grant in the older way, which Strava supports until June 2027."""
        header = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = header or request.values.get("access_token", "")
        with self._world.transaction():
            access = grants.require_access(self._world, token)
            grants.deauthorise_athlete(self._world, access.athlete_id)
        return {"access_token": token}

    def _check_request(self) -> None:
        arguments = request.args
        if arguments.get("client_id") != self._world.app.client_id:
            raise refusals.bad_request("Application", "client_id", "invalid")
        redirect_uri = arguments.get("redirect_uri", "")
        if not is_callback_allowed(redirect_uri, self._world.app.callback_domain):
            raise refusals.bad_request("Application", "redirect_uri", "invalid")
        if arguments.get("response_type") != "code":
            raise refusals.bad_request("Application", "response_type", "invalid")
        scopes = _read_requested_scopes()
        if not scopes or not set(scopes) <= set(grants.SCOPES):
            raise refusals.bad_request("Application", "scope", "invalid")


def is_callback_allowed(redirect_uri: str, domain: str) -> bool:
    """Compare the host alone with the callback domain, as Strava does."""
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    host = parts.hostname or ""
    is_in_domain = host == domain or host.endswith(f".{domain}")
    return parts.scheme in {"http", "https"} and (
        is_in_domain or host in ALWAYS_ALLOWED_HOSTS
    )


def _read_requested_scopes() -> list[str]:
    words = request.args.get("scope", "").replace(",", " ").split()
    return list(dict.fromkeys(words))


def _redirect_to_app(**parameters: str) -> ResponseReturnValue:
    uri = request.args["redirect_uri"]
    query = urlencode({"state": request.args.get("state", ""), **parameters}, safe=":,")
    return redirect(f"{uri}{'&' if '?' in uri else '?'}{query}")


def _render_refusal(message: str, status: int = 403) -> ResponseReturnValue:
    return render_template("refused.html", sentence=message, status=status), status
