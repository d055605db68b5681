"""Where to find someone to talk to."""
