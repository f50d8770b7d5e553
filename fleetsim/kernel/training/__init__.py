"""The training kernel: gangs of GPUs with failures, checkpoints and a queue, kept as counts."""
