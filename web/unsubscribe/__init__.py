"""One click ends the mails."""
