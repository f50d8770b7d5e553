"""One scenario per mechanism, step by step, against the table that stands in its file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetsim.output.run import Run
from fleetsim.runner import simulate
from fleetsim.spec import load

EXAMPLES = Path(__file__).parents[2] / "workloads" / "examples"
Column = tuple[str, str, str]
"""A table, what a row of it is about (class, or fleet and pool), and a column."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """Runs an example with every step kept."""
    results = tmp_path_factory.mktemp("results")

    def run(name: str) -> Run:
        scenario = load(EXAMPLES / f"{name}.yaml").scenario
        return simulate(scenario, seed=7, results=results, resolution="step")

    return run


def steps(run: Run, column: Column) -> list[float]:
    """The values of a column, one per step."""
    table, thing, name = column
    key = "traffic_class" if table == "series_step_traffic" else "concat(fleet, '/', pool)"
    rows: Any = run.sql(f"select {name} as value from {table} where {key} = '{thing}' order by time")
    return [float(value) for value in rows["value"]]


def messages(traffic_class: str, outcome: str) -> Column:
    return "series_step_traffic", traffic_class, f"messages_{outcome}"


def gpus(share: str, state: str) -> Column:
    return "series_step_capacity", share, f"{state}_gpus"


TABLES: dict[str, dict[Column, list[float]]] = {
    "spill-over": {
        messages("chat", "arrived"): [800, 1_400, 800],
        gpus("azure/chat", "busy"): [80, 100, 80],
        gpus("oracle/chat", "busy"): [0, 40, 0],
        messages("chat", "waiting"): [0, 0, 0],
    },
    "degrade": {
        messages("free", "arrived"): [400, 800, 1_200],
        messages("free", "degraded"): [0, 600, 1_200],
        messages("free", "waiting"): [0, 0, 0],
        messages("plus", "degraded"): [0, 0, 0],
        gpus("azure/chat", "busy"): [100, 100, 100],
    },
    "shed": {
        messages("plus", "served"): [600, 600, 600],
        messages("free", "arrived"): [400, 800, 1_200],
        messages("free", "served"): [400, 400, 400],
        messages("free", "shed"): [0, 400, 800],
        gpus("azure/chat", "busy"): [100, 100, 100],
    },
    "rate-limit": {
        messages("api", "arrived"): [500, 800, 1_100],
        messages("api", "served"): [500, 600, 600],
        messages("api", "shed"): [0, 200, 500],
        gpus("azure/api", "busy"): [50, 60, 60],
    },
    "retry": {
        messages("api", "arrived"): [500, 800, 500, 500, 500],
        messages("api", "retried"): [0, 0, 100, 50, 25],
        messages("api", "served"): [500, 600, 600, 550, 525],
        messages("api", "in_retry"): [0, 200, 100, 50, 25],
        messages("api", "shed"): [0, 0, 0, 0, 0],
    },
    "borrow": {
        gpus("azure/api", "lent"): [0, 25, 25],
        gpus("azure/chat", "allocated"): [50, 75, 75],
        messages("chat", "served"): [500, 750, 750],
        messages("chat", "waiting"): [200, 150, 100],
        messages("api", "served"): [200, 200, 200],
    },
    "elastic": {
        messages("chat", "arrived"): [800, 1_400, 1_400, 1_400, 1_400, 1_400],
        gpus("azure/chat", "allocated"): [100, 100, 100, 160, 160, 160],
        messages("chat", "served"): [800, 1_000, 1_000, 1_600, 1_600, 1_600],
        messages("chat", "waiting"): [0, 400, 800, 600, 400, 200],
    },
    "outage": {
        gpus("azure/chat", "healthy"): [100, 60, 100],
        messages("chat", "served"): [800, 600, 1_000],
        messages("chat", "waiting"): [0, 200, 0],
    },
}


@pytest.mark.parametrize("name", TABLES)
def test_an_example_goes_as_its_table_says(example: Callable[[str], Run], name: str) -> None:
    run = example(name)
    for column, expected in TABLES[name].items():
        simulated = steps(run, column)[: len(expected)]
        # float32 in the step series; the retry example rounds 300 / ln 2 to a microsecond.
        assert simulated == pytest.approx(expected, abs=1e-4), column


def test_growth_that_was_paused_is_lost(example: Callable[[str], Run]) -> None:
    rows: Any = example("sign-up-pause").sql(
        "select sum(messages_arrived) as messages from fact_traffic_hourly "
        "group by hour::date order by hour::date"
    )
    assert list(rows["messages"]) == pytest.approx([144_270, 200_000, 288_539], abs=2)


def test_elastic_gpus_cost_only_while_they_are_rented(example: Callable[[str], Run]) -> None:
    run = example("elastic")
    bill: Any = run.sql("select contract, sum(effective_usd) as usd, sum(gpu_hours) as hours "
                        "from fact_cost_hourly group by contract order by contract")  # fmt: skip
    assert list(bill["contract"]) == ["azure", "azure-on-demand"]
    assert [float(usd) for usd in bill["usd"]] == pytest.approx([100, 2 * bill["hours"][1]], abs=1e-6)
    allocated, rented = (sum(steps(run, gpus("azure/chat", state))) for state in ("allocated", "rented"))
    assert allocated / 12 - 100 <= bill["hours"][1] <= rented / 12 - 100
