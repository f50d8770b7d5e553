"""A tiny run made by hand: two days, two pools on one fleet, a training fleet, two traffic classes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fleetsim.ledger.contracts import Reserved
from fleetsim.model.contract import Offer
from fleetsim.model.costs import Staff
from fleetsim.model.figure import find_figure
from fleetsim.model.finance import Finance
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.model.hardware import GpuType
from fleetsim.model.pool import Pool, Share
from fleetsim.model.revenue import MonthlyRevenue
from fleetsim.model.scenario import Horizon, Objective, PublishedFact, Scenario
from fleetsim.model.service import Service
from fleetsim.model.traffic import TokenCount, TrafficClass
from fleetsim.output.run import Run
from fleetsim.output.writer import open_writer
from fleetsim.timebase import epoch_us

START = datetime(2024, 5, 31, tzinfo=UTC)
"""A Friday; the second day is a Saturday."""
HOURS = 48


class Coded(NamedTuple):
    """A text column as the engine gives it."""

    codes: np.ndarray
    names: tuple[str, ...]


def coded(*texts: str) -> Coded:
    """A text column from its texts."""
    names = tuple(dict.fromkeys(texts))
    return Coded(np.array([names.index(text) for text in texts], dtype=np.int32), names)


def hour_us(hour: int) -> int:
    """Microseconds since 1970 of an hour of the tiny run."""
    return epoch_us(START + timedelta(hours=hour))


def objective(text: str, operator: str, value: float | str) -> Objective:
    """An objective on a figure."""
    found = find_figure(text)
    assert found is not None
    return Objective(f"result:{text} {operator} {value}", found[0], text, operator, value)


GPU = GpuType(bf16_dense_tflops=312, memory_gb=80, bandwidth_gb_per_s=2039, tdp_w=400, server_w_per_gpu=800,
              flops_factor=1, bandwidth_factor=1)
CLASS = TrafficClass(pool="chat", service="gpt", messages_per_day=1000.0, prompt_tokens=TokenCount(100),
                     output_tokens=TokenCount(10), labels={"team": "growth"})


LAB = (("productive", 6.0), ("lost", 0.5))
"""What the lab's ten GPUs do each hour, as far as a figure asks."""


def tiny_scenario() -> Scenario:
    """Everything the output needs to know of a scenario."""
    return Scenario(
        name="tiny",
        horizon=Horizon(start=START, end=START + timedelta(hours=HOURS)),
        gpus={"a100": GPU},
        fleets={
            "azure": Fleet(gpu="a100", provider="microsoft", tranches=(Tranche(START, 100),),
                           labels={"team": "serving", "Cost-Centre": "c1"}),
            "lab": Fleet(gpu="a100", provider="microsoft", tranches=(Tranche(START, 10),), role="training"),
        },
        pools={"chat": Pool({"azure": Share(gpus=80)}), "api": Pool({"azure": Share(gpus=20)})},
        services={"gpt": Service(gpu_s_per_call=2.0)},
        traffic={"plus": CLASS, "dev": TrafficClass(
            pool="api", service="gpt", messages_per_day=1.0, prompt_tokens=TokenCount(1),
            output_tokens=TokenCount(1), slo_wait_s=1.0)},
        contracts={
            "azure-a100": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("1.30")),
            "azure-extra": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("9")),
            "lab-a100": Reserved(fleet="lab", usd_per_gpu_hour=Decimal("2")),
        },
        offers={
            "soon": Offer("a100", Decimal("1.5"), lead_time_days=0.5),
            "late": Offer("a100", Decimal("1.5"), lead_time_days=30,
                          expires=datetime(2024, 5, 1, tzinfo=UTC)),
            "other": Offer("h100", Decimal("3"), lead_time_days=1),
        },
        finance=Finance(
            opening_cash_usd=Decimal(20_000),
            revenue={"plus": MonthlyRevenue(usd_per_month=Decimal(31_000))},
            costs={"staff": Staff(headcount=3.1, usd_per_head_per_year=Decimal(120_000))}),
        published={
            "rent": PublishedFact("GPUs rented", "an article", "fleets.azure.rented_gpus", "input",
                                  value=100),
            "saturday": PublishedFact("messages on a Saturday", "a blog", "traffic.plus.messages_per_day",
                                      "computed", low=10, high=20, tolerance_frac=0.1, days="weekends"),
        },
        objectives=(objective("pools.chat.stock_out_hours", "<=", 0),
                    objective("pools.api.first_stock_out", ">=", "2024-06-01T00:00:00+00:00")),
        source={"fleetsim": 1, "name": "tiny", "contracts": {"azure-a100": {"kind": "reserved"}},
                "pools": {"chat": {"fleets": {"b": {"gpus": 1}, "a": {"gpus": 1}}}},
                "since": "2024-01-01", "text": "yes", "number": 1e22},
        inputs={"a.csv": "ab" * 32},
    )


@dataclass(frozen=True)
class Blocks:
    """The rows of the tiny run, per hour and pool, to be changed by a test before they are written."""

    offered: np.ndarray
    """Offered work by (hour, pool): chat, api."""
    arrived: np.ndarray
    """First attempts by (hour, class): plus, dev."""
    gpus: np.ndarray
    """Rented by (hour, share): chat and api on azure, training on lab."""


def tiny_blocks() -> Blocks:
    """Chat is offered 72 GPUs but 88 in hour 30 and 96 in hour 31; api 10 always."""
    offered = np.tile([72.0, 10.0], (HOURS, 1))
    offered[30:32, 0] = 88, 96
    arrived = np.tile([10, 2], (HOURS, 1))
    return Blocks(offered, arrived, np.tile([80.0, 20.0, 10.0], (HOURS, 1)))


def write_blocks(write: Callable[[str, dict[str, object]], None], blocks: Blocks, hours: range) -> None:
    """Write some hours of the tiny run."""
    n = len(hours)
    at = np.array([hour_us(hour) for hour in hours], dtype=np.int64)
    offered, arrived = blocks.offered[hours.start:hours.stop], blocks.arrived[hours.start:hours.stop]
    rented = blocks.gpus[hours.start:hours.stop].ravel()
    work = np.column_stack([offered, np.zeros(n)]).ravel()
    healthy = rented * np.tile([0.9, 1.0, 1.0], n)
    names = np.arange(3, dtype=np.int32)
    write("fact_capacity_hourly", {
        "hour": np.repeat(at, 3),
        "fleet": Coded(np.tile(np.array([0, 0, 1], dtype=np.int32), n), ("azure", "lab")),
        "pool": Coded(np.tile(names, n), ("chat", "api", "training")),
        "gpu": Coded(np.zeros(3 * n, dtype=np.int32), ("a100",)),
        "provider": Coded(np.zeros(3 * n, dtype=np.int32), ("microsoft",)),
        "rented_gpu_hours": rented,
        "healthy_gpu_hours": healthy,
        "allocated_gpu_hours": healthy / 2,
        "busy_gpu_hours": np.minimum(work, healthy),
        "required_gpu_hours": work * 1.25,
        "load_required_gpu_hours": work * 1.25,
        "load_rented_gpu_hours": rented,
        "offered_gpu_hours": work,
        "load_offered_gpu_hours": work,
        "energy_kwh": np.tile([40.0, 10.0, 8.0], n),
        "emissions_kg_co2e": np.tile([16.0, 4.0, 3.2], n),
        "load_capacity_gpu_hours": healthy * np.tile([1.0, 1.0, 0.0], n),
        **{f"{state}_gpu_hours": np.tile([np.nan, np.nan, gpus], n) for state, gpus in LAB},
    })
    served = arrived - np.tile([1, 0], (n, 1))
    write("fact_traffic_hourly", {
        "hour": np.repeat(at, 2),
        "traffic_class": Coded(np.tile(names[:2], n), ("plus", "dev")),
        "service": Coded(np.zeros(2 * n, dtype=np.int32), ("gpt",)),
        "pool": Coded(np.tile(names[:2], n), ("chat", "api")),
        "messages_arrived": arrived.ravel(),
        "messages_served": served.ravel(),
        "messages_degraded": np.tile([3, 0], n),
        "messages_shed": np.zeros(2 * n, dtype=np.int64),
        "messages_abandoned": np.tile([1, 0], n),
        "messages_waiting": np.column_stack([np.array(hours), np.zeros(n, dtype=np.int64)]).ravel(),
        "messages_in_retry": np.tile([2, 0], n),
        "output_tokens": 10.0 * served.ravel(),
        "waiting_message_s": np.tile([30.0, 0.0], n),
        "slo_met_count": np.ma.masked_array(np.tile([0, 1], n), mask=np.tile([True, False], n)),
        "slo_ttft_met_count": np.ma.masked_array(np.tile([7, 0], n), mask=np.tile([False, True], n)),
        "slo_tpot_met_count": np.ma.masked_array(np.tile([8, 0], n), mask=np.tile([False, True], n)),
    })
    write_latency(write, at)
    write("fact_wait_hourly", {
        "hour": np.repeat(at, 3),
        "traffic_class": Coded(np.tile(np.array([0, 0, 1], dtype=np.int32), n), ("plus", "dev")),
        "bucket": np.tile([0, 17, 0], n),
        "wait_low_s": np.tile([0.0, 0.5, 0.0], n),
        "wait_high_s": np.tile([0.0, 0.5 * 2 ** 0.125, 0.0], n),
        "messages": np.tile([6, 3, 2], n),
    })
    micro = np.tile([130_000_000, 0, 20_000_000], n)
    write("fact_cost_hourly", {
        "hour": np.repeat(at, 3),
        "fleet": Coded(np.tile(np.array([0, 0, 1], dtype=np.int32), n), ("azure", "lab")),
        "contract": Coded(np.tile(names, n), ("azure-a100", "azure-extra", "lab-a100")),
        "charge_category": Coded(np.tile(np.array([0, 1, 0], dtype=np.int32), n), ("Usage", "Purchase")),
        "clause": Coded(np.tile(np.array([0, 0, 1], dtype=np.int32), n), ("used", "unused")),
        "provider": Coded(np.zeros(3 * n, dtype=np.int32), ("microsoft",)),
        "gpu_hours": np.tile([100.0, 5.0, 10.0], n),
        "list_usd": micro * 2,
        "contracted_usd": micro,
        "billed_usd": micro + np.tile([1, 0, 0], n), "effective_usd": micro,
    })


def write_latency(write: Callable[[str, dict[str, object]], None], at: np.ndarray) -> None:
    """Of the nine messages that plus is served an hour: 6 and 3 by TTFT, 8 with a TPOT."""
    n = len(at)
    low_s = np.tile([0.064, 0.512, 0.032, 4.096], n)
    write("fact_latency_hourly", {
        "hour": np.repeat(at, 4),
        "traffic_class": Coded(np.zeros(4 * n, dtype=np.int32), ("plus",)),
        "service": Coded(np.zeros(4 * n, dtype=np.int32), ("gpt",)),
        "metric": Coded(np.tile(np.array([0, 0, 1, 2], dtype=np.int32), n), ("ttft", "tpot", "e2e")),
        "bucket": np.tile([97, 145, 81, 193], n),
        "latency_low_s": low_s,
        "latency_high_s": low_s * 2 ** (1 / 16),
        "messages": np.tile([6, 3, 8, 9], n),
    })


def write_jobs(write: Callable[[str, dict[str, object]], None]) -> None:
    """One job that the scenario names and one of a stream, which has no figures."""
    two = np.zeros(2, dtype=np.int32)
    write("fact_training_job", {
        "job": Coded(np.array([0, 1], dtype=np.int32), ("run", "research/0")),
        "fleet": Coded(two, ("lab",)), "team": Coded(two, ("one",)), "outcome": Coded(two, ("done",)),
        "submit_time": np.full(2, hour_us(0)), "start_time": np.full(2, hour_us(1)),
        "end_time": np.full(2, hour_us(11)), "gpus": np.array([8, 1]), "failures": np.array([3, 0]),
        "productive_gpu_hours": np.array([64.0, 1.0]), "checkpointing_gpu_hours": np.array([6.0, 0.0]),
        "lost_gpu_hours": np.array([8.0, 0.0]), "restarting_gpu_hours": np.array([1.0, 0.0]),
        "blocked_gpu_hours": np.array([1.0, 0.0]), "ettr_frac": np.array([64 / 88, 1.0]),
        "effective_usd": np.array([160_000_000, 2_000_000]),
    })


def write_billing(write: Callable[[str, dict[str, object]], None], hours: range) -> None:
    """Of azure-a100 80 of 100 GPU-hours are used; plus does half of azure's work, dev a fifth."""
    n = len(hours)
    at = np.array([hour_us(hour) for hour in hours], dtype=np.int64)
    micro = np.full(n, 1_000_000)
    write("fact_commitment_hourly", {
        "hour": at,
        "contract": Coded(np.zeros(n, dtype=np.int32), ("azure-a100",)),
        "provider": Coded(np.zeros(n, dtype=np.int32), ("microsoft",)),
        "committed_gpu_hours": np.full(n, 100.0), "used_gpu_hours": np.full(n, 80.0),
        "unused_gpu_hours": np.full(n, 20.0), "overage_gpu_hours": np.zeros(n),
        "committed_usd": 130 * micro, "used_usd": 104 * micro, "unused_usd": 26 * micro,
        "remaining_usd": (1_000 - np.array(hours)) * micro,
    })
    if hours.start == 0:
        write("fact_budget_monthly", {
            "month": [START.date().replace(day=1), START.date().replace(month=6, day=1)],
            "budget": ["rent", "rent"],
            "budget_usd": np.array([3_000, 3_000]) * 1_000_000,
            "spent_usd": np.array([2_000, 4_000]) * 1_000_000,
        })
    write("fact_cost_allocation_hourly", {
        "hour": np.repeat(at, 3),
        "traffic_class": Coded(np.tile(np.arange(3, dtype=np.int32), n), ("plus", "dev", "idle")),
        "service": Coded(np.tile(np.array([0, 0, 1], dtype=np.int32), n), ("gpt", "idle")),
        "gpu_hours": np.tile([50.0, 20.0, 30.0], n),
        "effective_usd": np.tile([65, 26, 39], n) * 1_000_000,
        "shared_usd": np.tile([100, 30, 0], n) * 1_000_000,
    })


def write_pnl(write: Callable[[str, dict[str, object]], None]) -> None:
    """Two months, each of one day: revenue 1,000 and 2,000, staff 500, rent 3,120 and 480, paid in June."""
    lines = [("revenue/plus", "revenue", "input"), ("compute/azure", "inference", "computed"),
             ("compute/lab", "training", "computed"), ("cost/staff", "staff", "input"),
             ("credits/drawn", "credits", "computed"), ("balance", "balance", "computed")]
    for month, days, accrual, cash, balance in (
        (datetime(2024, 5, 1).date(), 31, [1_000, -3_120, -480, -500, 0, 0], [1_000, 0, 0, -500, 0, 0], 500),
        (datetime(2024, 6, 1).date(), 30, [2_000, -3_120, -480, -500, 0, 0],
         [2_000, -6_240, -960, -500, 200, 0], -5_000),
    ):
        write("fact_pnl_monthly", {
            "month": [month] * 6, "line": [line for line, _, _ in lines],
            "section": [section for _, section, _ in lines], "role": [role for _, _, role in lines],
            "accrual_usd": np.array(accrual, dtype=np.int64) * 1_000_000,
            "cash_usd": np.array(cash, dtype=np.int64) * 1_000_000,
            "quantity": [None, None, None, 3.1, None, 1 / days], "unit": [*[None] * 3, "head", None, "month"],
            "cash_balance_usd": np.ma.masked_array(np.array([0] * 5 + [balance]) * 1_000_000, [1] * 5 + [0]),
            "credits_balance_usd": np.ma.masked_array(np.array([0] * 5 + [7]) * 1_000_000, [1] * 5 + [0]),
            "prepaid_balance_usd": np.ma.masked_array(np.array([0] * 5 + [9]) * 1_000_000, [1] * 5 + [0]),
            "cash_out_time": [*[None] * 5, None if balance > 0 else START + timedelta(hours=30)]})


def write_run(results: Path, scenario: Scenario | None = None, blocks: Blocks | None = None, *, seed: int = 7,
              block_hours: int = 24) -> Run:
    """Write the tiny run under `results`, in blocks of so many hours (0: nothing happens)."""
    scenario, blocks = scenario or tiny_scenario(), blocks or tiny_blocks()
    with open_writer(results, scenario, seed=seed) as writer:
        for first in range(0, HOURS, block_hours) if block_hours else ():
            hours = range(first, min(first + block_hours, HOURS))
            write_blocks(writer.write, blocks, hours)
            write_billing(writer.write, hours)
        if block_hours:
            write_pnl(writer.write)
            write_jobs(writer.write)
        writer.write("fact_event", {
            "sequence": np.arange(2),
            "time": np.array([hour_us(0), hour_us(0)]), "effective_time": np.array([hour_us(0)] * 2),
            "thing": coded("fleet/azure", "fleet/lab"), "kind": coded("delivery", "delivery"),
            "gpus": np.array([100, 10]), "detail": coded("on time", "on time")})
        return writer.close({"simulate_cpu_s": 0.5})
