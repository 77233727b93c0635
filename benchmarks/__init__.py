"""Benchmarks of stoker: `python -m benchmarks` lists them."""
