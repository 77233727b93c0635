"""Look at a task before it is trained for days: whether a batch fits, and whether a resume is exact."""
