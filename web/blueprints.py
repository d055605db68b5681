"""The list of all blueprints."""

from flask import Blueprint

from web.account_links.routes import blueprint as account_links
from web.claims.routes import blueprint as claims
from web.connect.routes import blueprint as connect
from web.consents.routes import blueprint as consents
from web.dashboard.routes import blueprint as dashboard
from web.email.routes import blueprint as email
from web.fixtures.routes import blueprint as fixtures
from web.health.routes import blueprint as health
from web.help.routes import blueprint as help_
from web.landing.routes import blueprint as landing
from web.login.routes import blueprint as login
from web.mailbox.routes import blueprint as mailbox
from web.notes.routes import blueprint as notes
from web.offline.routes import blueprint as offline
from web.pre_run.routes import blueprint as pre_run
from web.privacy.routes import blueprint as privacy
from web.questions.routes import blueprint as questions
from web.runs.routes import blueprint as runs
from web.settings.browser_sessions import blueprint as browser_sessions
from web.settings.disconnect_and_delete import blueprint as disconnect_and_delete
from web.settings.export import blueprint as export
from web.settings.routes import blueprint as settings
from web.survey.routes import blueprint as survey
from web.unsubscribe.routes import blueprint as unsubscribe
from web.webhooks.routes import blueprint as webhooks
from web.wellbeing.routes import blueprint as wellbeing

BLUEPRINTS: tuple[Blueprint, ...] = (
    landing,
    connect,
    email,
    webhooks,
    survey,
    unsubscribe,
    pre_run,
    wellbeing,
    dashboard,
    questions,
    claims,
    runs,
    notes,
    settings,
    export,
    disconnect_and_delete,
    browser_sessions,
    account_links,
    consents,
    login,
    help_,
    offline,
    privacy,
    health,
    mailbox,
    fixtures,
)
