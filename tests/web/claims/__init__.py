"""Tests of the page of the article's claims."""
