"""The state that screens show, without Textual."""
