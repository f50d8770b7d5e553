"""Why gangs are interrupted: the published breakdown of failures by cause."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FailureCause:
    """One cause, as often as it was counted."""

    name: str
    count: int
    node_out: bool
    """Whether a node must be repaired; else the job starts again on the same nodes (D)."""


CAUSES = (
    FailureCause("faulty_gpu", 148, True),
    FailureCause("gpu_hbm3_memory", 72, True),
    FailureCause("network_switch_or_cable", 35, True),
    FailureCause("host_maintenance", 32, True),
    FailureCause("gpu_sram", 19, True),
    FailureCause("gpu_system_processor", 17, True),
    FailureCause("nic", 7, True),
    FailureCause("silent_data_corruption", 6, True),
    FailureCause("gpu_thermal_or_sensor", 6, True),
    FailureCause("ssd", 3, True),
    FailureCause("power_supply", 3, True),
    FailureCause("server_chassis", 2, True),
    FailureCause("io_board", 2, True),
    FailureCause("cpu", 2, True),
    FailureCause("system_memory", 2, True),
    FailureCause("software_bug", 54, False),
    FailureCause("nccl_watchdog", 7, False),
    FailureCause("dependency", 2, False),
)
"""419 unexpected interruptions of Llama 3 405B in 54 days on 16,384 H100; those without a node last.

The Llama 3 herd of models (arXiv:2407.21783), table 5, by count: its printed percentages do not follow from
the counts.
"""
INTERRUPTIONS = sum(cause.count for cause in CAUSES)
NODE_CAUSES = sum(cause.node_out for cause in CAUSES)
"""Causes that take a node out; they come first."""
