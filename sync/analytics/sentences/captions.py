"""What the pictures are called, and what stands below them: the other texts."""

from collections.abc import Mapping

from sync.language import translatable

TITLES: Mapping[str, str] = {
    "after_runs": translatable("Mood after runs and at check-ins"),
    "mileage": translatable("Mood and mileage"),
    "stress": translatable("Stress after runs and at check-ins"),
    "company": translatable("With others or alone"),
    "place": translatable("Indoors or outdoors"),
    "time_of_day": translatable("Time of day"),
    "run_length": translatable("Length of the run"),
    "hours_since": translatable("Hours since the run"),
    "race": translatable("Races and other runs"),
    "longest": translatable("Longest runs so far"),
    "load": translatable("The last seven days and check-ins"),
    "month": translatable("Four weeks at a time and check-ins"),
    "consistency": translatable("Days with a run each week"),
    "focus_energy": translatable("Energy and the distance run"),
    "focus_effort": translatable("How hard runs are, and their distance"),
    "focus_presence": translatable(
        "Attention on the here and now, and the distance run"
    ),
    "focus_progress": translatable("Satisfaction with progress, and the distance run"),
    "focus_clarity": translatable("A clear head and the distance run"),
    "focus_connection": translatable(
        "Feeling connected to others, and the distance run"
    ),
}

NOTES: Mapping[str, str] = {
    "too_few.runs": translatable("Not enough yet: {n} of {needed} runs."),
    "too_few.answers": translatable("Not enough yet: {n} of {needed} answers."),
    "too_few.weeks": translatable("Not enough yet: {n} of {needed} weeks."),
    "too_few.stretches": translatable(
        "Not enough yet: {n} of {needed} stretches of four weeks."
    ),
    "too_few_each": translatable(
        "Not enough yet: {n} of {needed} answers on the smaller side."
    ),
    "next_look": translatable(
        "We look again at {milestone} answers; until then this sentence stands."
    ),
    "answered": translatable(
        "Answered {answered} of {asked} asked. If you skip the mails on bad days, "
        "this picture is too rosy."
    ),
    "ceiling": translatable(
        "{share} of these answers are at the top of the scale, so better days than "
        "that cannot show."
    ),
    "season": translatable(
        "These answers span less than half a year, so season and mileage cannot be "
        "told apart yet."
    ),
    "races_out": translatable(
        "Races are left out here: how a race went says more than how far it was."
    ),
    "late": translatable(
        "Hollow dots were answered more than six hours after the run and do not count "
        "here."
    ),
    "exploring": translatable(
        "Exploring: we look at {panels} such pictures, so now and then one will look "
        "like something by luck."
    ),
    "remembered": translatable(
        "Remembered change: {mean} (before is from memory, which usually makes it "
        "look bigger)."
    ),
    "usual": translatable("Your usual here is {mean}, from {n} rest-day answers."),
    "decided_again": translatable(
        "Decided again on {day}, after a change to the runs or answers behind it."
    ),
    "goes_together": translatable(
        "This shows what goes together, not why. A good mood can also send you out "
        "for a run."
    ),
    "slope": translatable("About {slope} steps of mood for each {distance} more."),
}
