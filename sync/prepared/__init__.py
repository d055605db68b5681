"""Prepared runners: each page's state to look at, in a demo and in the tests."""
