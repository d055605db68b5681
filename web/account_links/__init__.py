"""Links in mails that keep an account."""
