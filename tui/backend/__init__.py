"""Access to a run, whether it trains in a thread of this process or in another process."""
