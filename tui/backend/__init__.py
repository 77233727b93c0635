"""Where a run lives: a thread of this process, a folder, another process."""
