"""Text with the name of its style: the type that state and widgets exchange."""

StyledText = tuple[str, str]
"""The text, and a style: Textual's markup such as "bold $good" in panels, a component class in tables."""
StyledRow = list[StyledText]
