"""Tasks: the class Task, and the code that finds, checks, builds and splits one."""
