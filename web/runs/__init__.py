"""One run: facts, decision, answer."""
