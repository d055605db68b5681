"""What was decided about a run, in a few words for the dashboard's lists."""

from sync.analytics.dataset.run_annotations import RunAnnotation
from sync.language import gettext as _
from sync.surveys.policy.explanations import label_reason
from sync.vocabulary import DecisionVerdict


def decision_text(annotation: RunAnnotation) -> str:
    """Return in a few words whether this run was asked about, or why not."""
    if annotation.reason is None:
        # Only what Strava tells us is decided about.
        return _("Not decided yet") if annotation.strava_id else _("From your own log")
    if annotation.verdict is DecisionVerdict.SEND and not annotation.has_survey:
        return _("Mail on its way")
    return label_reason(annotation.reason)
