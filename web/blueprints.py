"""Every part of the site, in one list."""

from flask import Blueprint

from web.before.routes import blueprint as before
from web.connect.routes import blueprint as connect
from web.consents.routes import blueprint as consents
from web.dashboard.routes import blueprint as dashboard
from web.email.routes import blueprint as email
from web.health.routes import blueprint as health
from web.help.routes import blueprint as help_
from web.hooks.routes import blueprint as hooks
from web.landing.routes import blueprint as landing
from web.login.routes import blueprint as login
from web.mailbox.routes import blueprint as mailbox
from web.offline.routes import blueprint as offline
from web.privacy.routes import blueprint as privacy
from web.runs.routes import blueprint as runs
from web.settings.exporting import blueprint as exporting
from web.settings.leaving import blueprint as leaving
from web.settings.routes import blueprint as settings
from web.settings.signins import blueprint as signins
from web.states.routes import blueprint as states
from web.staying.routes import blueprint as staying
from web.survey.routes import blueprint as survey
from web.unsubscribe.routes import blueprint as unsubscribe
from web.wellbeing.routes import blueprint as wellbeing

BLUEPRINTS: tuple[Blueprint, ...] = (
    landing,
    connect,
    email,
    hooks,
    survey,
    unsubscribe,
    before,
    wellbeing,
    dashboard,
    runs,
    settings,
    exporting,
    leaving,
    signins,
    staying,
    consents,
    login,
    help_,
    offline,
    privacy,
    health,
    mailbox,
    states,
)
