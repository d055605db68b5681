"""Every part of the site, in one list."""

from flask import Blueprint

from web.health.routes import blueprint as health
from web.hooks.routes import blueprint as hooks
from web.survey.routes import blueprint as survey

BLUEPRINTS: tuple[Blueprint, ...] = (health, hooks, survey)
