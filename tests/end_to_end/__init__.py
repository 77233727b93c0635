"""Tests of the real program, in real processes and real pseudo-terminals."""
