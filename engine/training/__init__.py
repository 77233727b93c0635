"""The training loop of a Task and the state it carries."""
