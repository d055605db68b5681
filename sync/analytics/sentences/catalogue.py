"""Every sentence the figures may say, in English as it was written.

The rule chooses the key, never the writer of a page.  Words that claim more than a
picture of one's own answers can carry stay out; a test holds this file to that, and
what becomes of it in other languages, too.
"""

from collections.abc import Mapping

from sync.language import translatable

SENTENCES: Mapping[str, str] = {
    "after_runs.higher": translatable(
        "In your first {n} answers, mood after runs tended to be higher than at "
        "check-ins: {first} against {second}. It does not tell us why."
    ),
    "after_runs.lower": translatable(
        "In your first {n} answers, mood after runs tended to be lower than at "
        "check-ins: {first} against {second}. It does not tell us why."
    ),
    "after_runs.none": translatable(
        "No clear difference so far between mood after runs and at check-ins "
        "({n_first} runs, {n_second} check-ins)."
    ),
    "stress.higher": translatable(
        "In your first {n} answers, stress after runs tended to be higher than at "
        "check-ins: {first_plain} against {second_plain} of 4. It does not tell us "
        "why."
    ),
    "stress.lower": translatable(
        "In your first {n} answers, stress after runs tended to be lower than at "
        "check-ins: {first_plain} against {second_plain} of 4. It does not tell us "
        "why."
    ),
    "stress.none": translatable(
        "No clear difference so far between stress after runs and at check-ins "
        "({n_first} runs, {n_second} check-ins)."
    ),
    "mileage.best": translatable(
        "In your first {n} answers, you tended to feel best in weeks of {range}: Good "
        "or Great after {good_in} of those runs, against {good_out} after others. It "
        "does not tell us why."
    ),
    "mileage.early": translatable(
        "You may feel better in weeks of {range}. It may still be chance."
    ),
    "mileage.higher": translatable(
        "In your first {n} answers, mood after longer runs tended to be higher. That "
        "held after allowing for season. It does not tell us why."
    ),
    "mileage.lower": translatable(
        "In your first {n} answers, mood after longer runs tended to be lower. That "
        "held after allowing for season. It does not tell us why."
    ),
    "mileage.none": translatable(
        "No clear link so far ({n} runs). Could be anywhere from {from} to {to} on "
        "longer runs."
    ),
    "company.higher": translatable("Mood tended to be higher after runs with others."),
    "company.lower": translatable("Mood tended to be higher after runs alone."),
    "company.none": translatable(
        "No clear difference so far between runs with others and alone."
    ),
    "place.higher": translatable("Mood tended to be higher after runs indoors."),
    "place.lower": translatable("Mood tended to be higher after runs outdoors."),
    "place.none": translatable(
        "No clear difference so far between runs indoors and outdoors."
    ),
    "time_of_day.higher": translatable(
        "Mood tended to be higher after runs begun before noon."
    ),
    "time_of_day.lower": translatable(
        "Mood tended to be higher after runs begun from noon on."
    ),
    "time_of_day.none": translatable(
        "No clear difference so far between runs before noon and later."
    ),
    "run_length.higher": translatable(
        "Mood tended to be higher after runs that took longer."
    ),
    "run_length.lower": translatable(
        "Mood tended to be lower after runs that took longer."
    ),
    "run_length.none": translatable(
        "No clear link so far between minutes of running and mood."
    ),
    "hours_since.higher": translatable(
        "Mood tended to be higher the longer ago the run was."
    ),
    "hours_since.lower": translatable(
        "Mood tended to be lower the longer ago the run was."
    ),
    "hours_since.none": translatable(
        "No clear link so far between hours since the run and mood."
    ),
    "race.higher": translatable(
        "Mood tended to be higher after races than after other runs."
    ),
    "race.lower": translatable(
        "Mood tended to be lower after races than after other runs."
    ),
    "race.none": translatable(
        "No clear difference so far between races and other runs."
    ),
    "longest.higher": translatable(
        "Mood tended to be higher after your longest runs so far."
    ),
    "longest.lower": translatable(
        "Mood tended to be lower after your longest runs so far."
    ),
    "longest.none": translatable("No clear difference after your longest runs."),
    "load.higher": translatable(
        "Check-in mood tended to be higher when the seven days before held more "
        "distance."
    ),
    "load.lower": translatable(
        "Check-in mood tended to be lower when the seven days before held more "
        "distance."
    ),
    "load.none": translatable(
        "No clear link so far between the last seven days and check-in mood."
    ),
    "month.higher": translatable(
        "Check-in mood tended to be higher in stretches of four weeks with more "
        "distance."
    ),
    "month.lower": translatable(
        "Check-in mood tended to be lower in stretches of four weeks with more "
        "distance."
    ),
    "month.none": translatable(
        "No clear link so far between four weeks of distance and check-in mood."
    ),
    "consistency.higher": translatable(
        "Check-in mood tended to be higher in weeks with more days with a run."
    ),
    "consistency.lower": translatable(
        "Check-in mood tended to be lower in weeks with more days with a run."
    ),
    "consistency.none": translatable(
        "No clear link so far between days with a run and check-in mood."
    ),
    "focus_energy.higher": translatable(
        "You tended to have more energy after longer runs."
    ),
    "focus_energy.lower": translatable(
        "You tended to have less energy after longer runs."
    ),
    "focus_energy.none": translatable(
        "No clear link so far between distance and energy."
    ),
    "focus_effort.higher": translatable("Longer runs tended to feel harder."),
    "focus_effort.lower": translatable("Longer runs tended to feel easier."),
    "focus_effort.none": translatable(
        "No clear link so far between distance and how hard runs felt."
    ),
    "focus_presence.higher": translatable(
        "Your attention tended to be more on the here and now during longer runs."
    ),
    "focus_presence.lower": translatable(
        "Your attention tended to be less on the here and now during longer runs."
    ),
    "focus_presence.none": translatable(
        "No clear link so far between distance and attention on the here and now."
    ),
    "focus_progress.higher": translatable(
        "You tended to be more satisfied with your progress after longer runs."
    ),
    "focus_progress.lower": translatable(
        "You tended to be less satisfied with your progress after longer runs."
    ),
    "focus_progress.none": translatable(
        "No clear link so far between distance and satisfaction with your progress."
    ),
    "focus_clarity.higher": translatable(
        "Your head tended to be clearer after longer runs."
    ),
    "focus_clarity.lower": translatable(
        "Your head tended to be foggier after longer runs."
    ),
    "focus_clarity.none": translatable(
        "No clear link so far between distance and a clear head."
    ),
    "focus_connection.higher": translatable(
        "You tended to feel more connected to others after longer runs."
    ),
    "focus_connection.lower": translatable(
        "You tended to feel less connected to others after longer runs."
    ),
    "focus_connection.none": translatable(
        "No clear link so far between distance and feeling connected to others."
    ),
    "more_than_usual": translatable(
        "You have run more than your usual for two weeks ({recent} vs {usual} a week) "
        "and your answers are lower than your usual. Many runners ease off for a few "
        "days when they see this. If you feel unwell or have pain, see a professional."
    ),
    "support": translatable(
        "Your last answers were mostly low. That happens, and it may pass. If you "
        "would like to talk to a person, these are free and confidential. This page "
        "cannot tell how you are; a doctor or counsellor can."
    ),
    "withdrawn": translatable("Not enough answers are left for this sentence."),
}
