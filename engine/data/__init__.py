"""Batches as a function of (seed, epoch, batch), and the data they come from."""
