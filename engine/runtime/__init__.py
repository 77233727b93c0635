"""What any training loop does between two batches: commands, losses, pauses."""
