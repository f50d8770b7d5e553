"""The formats that a trace can be imported from, by name."""

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.trace.azure_2023 import AZURE_2023
from fleetsim.spec.trace.azure_2024 import AZURE_2024
from fleetsim.spec.trace.burstgpt import BURSTGPT
from fleetsim.spec.trace.generic import GENERIC
from fleetsim.spec.trace.jobs.formats import JOB_FORMATS
from fleetsim.spec.trace.jobs.layout import JobFormat
from fleetsim.spec.trace.layout import Format
from fleetsim.spec.trace.mooncake import MOONCAKE

FORMATS: dict[str, Format | JobFormat] = {
    "azure-2023": AZURE_2023,
    "azure-2024": AZURE_2024,
    "burstgpt": BURSTGPT,
    "mooncake": MOONCAKE,
    "generic": GENERIC,
    **JOB_FORMATS,
}


def find_format(name: str) -> Format | JobFormat:
    """The format of this name; UsageError when there is none."""
    if name not in FORMATS:
        raise UsageError(f"unknown trace format {name!r} ({did_you_mean(name, list(FORMATS))})")
    return FORMATS[name]


def format_of(columns: list[str], *, besides: str) -> str:
    """The name of another format that has these columns, or nothing."""
    for name, each in FORMATS.items():
        layout = each.layout
        if name != besides and layout is not None and set(layout.columns()) <= set(columns):
            return name
    return ""
