"""Made-up runners: the demo's answers, and fixtures for every state of a page."""
