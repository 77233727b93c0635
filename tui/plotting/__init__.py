"""Curves to rows of text, without Textual."""
