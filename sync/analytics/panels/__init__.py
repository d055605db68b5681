"""The questions, each with the groups or pairs that it compares."""
