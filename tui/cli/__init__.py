"""The command line: the commands, their options, and the screens and trainings that they start."""
