"""What the screens show, without Textual."""
