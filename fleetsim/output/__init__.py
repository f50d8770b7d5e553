"""The run directory: tables, figures, summary, manifest; written once, read back as `Run`."""

from fleetsim.output.run import Run, open_run

__all__ = ["Run", "open_run"]
