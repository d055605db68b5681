"""Second thoughts: the links in mails that keep an account."""
