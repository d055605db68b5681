"""What a runner does with a survey: open it, answer it, look at the run."""
