"""Everything at once: real services, 200 runners, and trouble every five seconds."""
