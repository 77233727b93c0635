"""Turns curves into rows of text, without Textual."""
