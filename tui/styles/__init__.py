"""The style sheets of the screens, in Textual CSS."""
