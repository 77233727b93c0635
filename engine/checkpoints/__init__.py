"""Checkpoint files: when they are written, how they are verified, which one is the newest good one.

What a checkpoint holds is `TrainingState.state_dict` in `training/state.py`.
"""
