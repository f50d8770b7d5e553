"""Sinks that the benchmarks record into, beside the one that keeps tables."""

from typing import Any


class Dropped:
    """Takes every row and keeps none."""

    def write(self, table: str, columns: Any) -> None:
        """Drop the rows."""
