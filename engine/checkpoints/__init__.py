"""Checkpoint files: when they are written, how they are verified, which one is the newest good one."""
