"""The version of stoker, spelled once."""

__version__ = "0.1.0"
