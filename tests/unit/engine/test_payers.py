"""Elasticity in the engine: payers and their messages move together, and at the reference nothing moves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from fleetsim.engine import simulate
from fleetsim.ledger.contracts import Reserved
from fleetsim.model.finance import Finance
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.model.hardware import GpuType
from fleetsim.model.pool import Pool, Share
from fleetsim.model.revenue import Subscription, TokenRevenue
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.model.service import Service
from fleetsim.model.traffic import TokenCount, TrafficClass
from fleetsim.output.sink import TableSink
from fleetsim.policies import RateLimit

START = datetime(2024, 1, 30, tzinfo=UTC)
GPU = GpuType(bf16_dense_tflops=312, memory_gb=80, bandwidth_gb_per_s=2039, tdp_w=400, server_w_per_gpu=800,
              flops_factor=1, bandwidth_factor=1)


def scenario(finance: Finance | None = None, **policies: RateLimit) -> Scenario:
    """Four days over the end of a month; paid and free messages, 100 each a second, on enough GPUs."""
    one = TrafficClass(pool="chat", service="gpt", messages_per_day=8_640_000.0, prompt_tokens=TokenCount(30),
                       output_tokens=TokenCount(10), calls_per_message=2.0)
    return Scenario(
        name="payers", horizon=Horizon(start=START, end=START + timedelta(days=4), step_s=900),
        gpus={"a100": GPU}, fleets={"azure": Fleet(gpu="a100", provider="azure",
                                                   tranches=(Tranche(START, 1_000),))},
        pools={"chat": Pool({"azure": Share(share_frac=1.0)})}, services={"gpt": Service(gpu_s_per_call=1.0)},
        traffic={"paid": one, "free": one}, policies=policies, finance=finance,
        contracts={"azure": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1))})


def plus(**terms: Any) -> Finance:
    stream = Subscription(**{"subscribers": 310_000.0, "usd_per_month": Decimal(20),
                             "traffic_classes": ("paid",), "reference_usd_per_month": Decimal(20), **terms})
    return Finance(revenue={"plus": stream})


def tables(run: Scenario) -> TableSink:
    sink = TableSink()
    simulate(run, seed=1, sink=sink)
    return sink


def messages(sink: TableSink, name: str) -> np.ndarray:
    """First attempts per hour."""
    rows = sink.table("fact_traffic_hourly").to_pandas()
    return np.asarray(rows[rows["traffic_class"] == name]["messages_arrived"])


def pnl(sink: TableSink, line: str, column: str = "accrual_usd") -> list[Any]:
    rows = sink.table("fact_pnl_monthly").to_pandas()
    return list(rows[rows["line"] == line][column])


def test_at_the_reference_price_nothing_moves() -> None:
    plain, elastic = tables(scenario()), tables(scenario(plus(price_elasticity=-0.7)))
    for table in ("fact_traffic_hourly", "fact_capacity_hourly", "fact_cost_hourly", "fact_wait_hourly"):
        assert plain.table(table).equals(elastic.table(table))
    assert plain.table("fact_pnl_monthly").num_rows == 0


def test_a_price_step_moves_payers_and_messages_alike() -> None:
    step = START + timedelta(days=1)
    prices = {START: Decimal(20), step: Decimal(80)}
    found = tables(scenario(plus(price_elasticity=-0.5, usd_per_month=prices)))
    paid = messages(found, "paid")
    assert paid[:24].tolist() == [360_000] * 24
    assert paid[24:].tolist() == [180_000] * 72
    assert set(messages(found, "free").tolist()) == {360_000}
    # January: one day at 20 with 310,000 payers, one at 80 with half of them; 29 days of February's.
    assert pnl(found, "revenue/plus")[0] == Decimal(200_000 + 400_000)
    assert float(pnl(found, "revenue/plus")[1]) == pytest.approx(2 / 29 * 155_000 * 80, abs=1e-6)
    assert pnl(found, "revenue/plus", "quantity") == pytest.approx([232_500, 155_000])
    assert set(pnl(found, "revenue/plus", "role")) == {"computed"}


def test_a_rate_limit_loses_payers() -> None:
    limit = RateLimit(class_="paid", max_messages_per_s=81.0)
    found = tables(scenario(plus(rate_limit_elasticity=0.5), limit=limit))
    # 81 of 100 get through; 0.81 ** 0.5 = 0.9 of the payers stay and send 90 a second.
    assert messages(found, "paid")[:4].tolist() == [324_000] * 4
    assert pnl(found, "revenue/plus", "quantity") == pytest.approx([279_000, 279_000])
    unmoved = tables(scenario(plus(), limit=limit))
    assert messages(unmoved, "paid")[:4].tolist() == [360_000] * 4


def test_a_limit_above_the_expected_rate_loses_nobody() -> None:
    found = tables(scenario(plus(rate_limit_elasticity=0.5),
                            limit=RateLimit(class_="paid", max_messages_per_s=100.0)))
    assert messages(found, "paid").tolist() == [360_000] * 96


def test_a_pnl_needs_what_was_served_and_what_was_charged() -> None:
    tokens = Finance(revenue={"api": TokenRevenue(
        traffic_classes=("paid",), usd_per_million_prompt_tokens=Decimal(10),
        usd_per_million_output_tokens=Decimal(30))})
    found = tables(scenario(tokens))
    # 17.28M messages in two days x 2 calls x (30 x $10 + 10 x $30) per million.
    assert pnl(found, "revenue/api") == [Decimal("20736")] * 2
    assert pnl(found, "compute/azure") == [Decimal(-48_000)] * 2
    assert pnl(found, "balance", "quantity") == pytest.approx([2 / 31, 2 / 29])


def test_warm_up_is_in_no_month() -> None:
    tokens = replace(scenario(plus()), horizon=Horizon(start=START, end=START + timedelta(days=4), step_s=900,
                                                       warmup_days=3))
    found = tables(tokens)
    months = found.table("fact_pnl_monthly").column("month").unique().to_pylist()
    assert months == [datetime(2024, 2, 1).date()]
    assert pnl(found, "balance", "quantity") == pytest.approx([1 / 29])
