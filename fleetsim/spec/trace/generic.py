"""Any CSV or JSON lines whose columns the caller names."""

from pathlib import Path

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.trace.layout import UNITS, Format, Layout, TimeUnit, named_columns

GENERIC = Format(None, "any CSV or JSON lines: name the columns with --time-column and so on")
JSON_SUFFIXES = (".jsonl", ".ndjson")


def generic_layout(source: Path, *, time: str | None, prompt: str | None, output: str | None,
                   class_: str | None = None, unit: str = "iso") -> Layout:
    """The layout of a file whose columns are named; UsageError when one of the three is not, or two are one.

    A name that ends in .jsonl or .ndjson is read as JSON lines, every other one as CSV.
    """
    arrival, prompts, outputs = named_columns(
        {"--time-column": time, "--prompt-column": prompt, "--output-column": output}, "generic")
    found: TimeUnit | None = next((each for each in ("iso", *UNITS) if each == unit), None)
    if found is None:
        raise UsageError(f"unknown time unit {unit!r} ({did_you_mean(unit, ['iso', *UNITS])})")
    return Layout("generic", time=arrival, prompt=prompts, output=outputs, unit=found, class_column=class_,
                  lines="json" if source.suffix.lower() in JSON_SUFFIXES else "csv")
