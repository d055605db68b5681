"""The tables.  Columns and constraints only: no queries, no decisions."""

from sync.models.base import Model
from sync.models.event import Event
from sync.models.figure import FigureDecision
from sync.models.mail import Mail
from sync.models.note import Counter, Subscription
from sync.models.run import (
    RUN_IS_CREDIBLE,
    RUN_IS_IN_FIGURES,
    RUN_IS_TIMED,
    RUN_IS_VISIBLE,
    Backfill,
    QuarantinedRecord,
    ReconcileState,
    Run,
)
from sync.models.runner import (
    Connection,
    Consent,
    Export,
    LinkAttempt,
    MailLink,
    Runner,
    SignIn,
)
from sync.models.survey import (
    Answer,
    AnswerNote,
    CheckinDraw,
    Decision,
    DelayDraw,
    Survey,
)
from sync.models.work import RunnerWork

__all__ = [
    "RUN_IS_CREDIBLE",
    "RUN_IS_IN_FIGURES",
    "RUN_IS_TIMED",
    "RUN_IS_VISIBLE",
    "Answer",
    "AnswerNote",
    "Backfill",
    "CheckinDraw",
    "Connection",
    "Consent",
    "Counter",
    "Decision",
    "DelayDraw",
    "Event",
    "Export",
    "FigureDecision",
    "LinkAttempt",
    "Mail",
    "MailLink",
    "Model",
    "QuarantinedRecord",
    "ReconcileState",
    "Run",
    "Runner",
    "RunnerWork",
    "SignIn",
    "Subscription",
    "Survey",
]
