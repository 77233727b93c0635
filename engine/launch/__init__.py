"""The engine as a process: signals, and a start in the background."""
