"""Giving and confirming an e-mail address."""
