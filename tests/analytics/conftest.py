"""Property tests here are about numbers, never about how fast a machine is."""

from hypothesis import settings

settings.register_profile("moodmiles", deadline=None, max_examples=60)
settings.load_profile("moodmiles")
