"""Withdrawing and renewing consents."""
