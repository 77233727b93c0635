"""Text with the name of its style, as widgets and tables of every screen exchange it."""

StyledText = tuple[str, str]
"""The text, and a style: Textual's markup such as "bold $good" in panels, a component class in tables."""
StyledRow = list[StyledText]
