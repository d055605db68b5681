"""The embedded mailbox, for a machine without a mail server."""
