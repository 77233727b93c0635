"""Code that the benchmarks share: terminals, timed runs, recorded runs, tables."""
