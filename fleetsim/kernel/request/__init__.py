"""The request kernel: every request through continuous batching on every replica."""
