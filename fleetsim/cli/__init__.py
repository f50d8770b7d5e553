"""The command line: one file per verb, each a thin wrapper over the public API."""
