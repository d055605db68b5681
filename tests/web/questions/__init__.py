"""Tests of the pages of questions."""
