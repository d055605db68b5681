"""The mathematics: arrays in, estimates and intervals out.  Pure."""
