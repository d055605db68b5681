"""The tables.  Columns and constraints only: no queries, no decisions."""

from sync.models.base import Model
from sync.models.event import Event
from sync.models.figure import FigureDecision
from sync.models.mail import Mail
from sync.models.run import Backfill, Run, SetAside
from sync.models.runner import (
    Connection,
    Consent,
    LinkAttempt,
    MailLink,
    Runner,
    SignIn,
)
from sync.models.survey import Answer, Decision, Survey

__all__ = [
    "Answer",
    "Backfill",
    "Connection",
    "Consent",
    "Decision",
    "Event",
    "FigureDecision",
    "LinkAttempt",
    "Mail",
    "MailLink",
    "Model",
    "Run",
    "Runner",
    "SetAside",
    "SignIn",
    "Survey",
]
