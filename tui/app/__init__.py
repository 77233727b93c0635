"""The Textual app: its screens, themes, preferences, and the terminal that it runs in."""
