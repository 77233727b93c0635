"""All code that touches the terminal, and all uses of private names of Textual and rich."""
