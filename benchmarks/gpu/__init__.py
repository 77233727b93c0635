"""The parts of `python -m benchmarks gpu`: what can be shown only on a real device."""
