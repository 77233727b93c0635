"""The real program: real processes, real pseudo-terminals."""
