"""Whether a question is asked, when, and which one.  Pure."""
