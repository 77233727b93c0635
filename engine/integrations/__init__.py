"""What the callbacks of `stoker.integrations` share; nothing here imports another library's trainer."""
