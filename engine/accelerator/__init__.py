"""What GPUs need beside torch's tensors: their memory, deterministic algorithms, NVIDIA's management library."""
