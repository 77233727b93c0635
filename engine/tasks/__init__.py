"""Tasks: what to train, how a task is found, checked and built."""
