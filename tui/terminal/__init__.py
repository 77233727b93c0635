"""Everything that touches the terminal, or names of Textual and rich that begin with an underscore."""
