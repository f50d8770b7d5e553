"""The mix of services by step: rows only where it changes, and the dates of a move."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fleetsim.engine.demand import Demand
from fleetsim.engine.index import Index
from fleetsim.rng import Streams
from fleetsim.spec import load

MOVES = """
fleetsim: 1
name: moves
horizon: {start: 2024-01-01, end: 2024-01-03, step_s: 3600}
fleets: {f: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-01-01, gpus: 80}]}}
pools: {p: {fleets: {f: {share_frac: 1.0}}}}
services: {old: {gpu_s_per_call: 2}, new: {gpu_s_per_call: 1}}
traffic:
  still: {pool: p, service: old, messages_per_day: 1000, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
  at_once:
    pool: p
    service: {mix: [{from: old, to: new, start: "2024-01-01T10:00"}]}
    messages_per_day: 1000
    prompt_tokens: {mean: 1}
    output_tokens: {mean: 1}
  slowly:
    pool: p
    service: {mix: [{from: old, to: new, start: "2024-01-01T20:00", end: "2024-01-02T00:00"}]}
    messages_per_day: 1000
    prompt_tokens: {mean: 1}
    output_tokens: {mean: 1}
contracts: {rent: {kind: reserved, fleet: f, usd_per_gpu_hour: 1}}
"""
MOVED = {"still": np.zeros(48), "at_once": np.repeat([0.0, 1.0], [10, 38]),
         "slowly": np.concatenate([np.zeros(20), [0.125, 0.375, 0.625, 0.875], np.ones(24)])}
"""Share of the second service in each hour, at its middle."""


@pytest.fixture
def demand(tmp_path: Path) -> Demand:
    file = tmp_path / "scenario.yaml"
    file.write_text(MOVES)
    scenario = load(file).scenario
    assert scenario.horizon.start == datetime(2024, 1, 1, tzinfo=UTC)
    return Demand(scenario, Index.of(scenario), Streams(0))


@pytest.mark.parametrize(("first", "last", "rows"), [
    (0, 48, 7), (0, 8, 1), (12, 20, 1), (10, 12, 1), (9, 11, 2), (21, 26, 4), (24, 48, 1), (30, 48, 1)])
def test_every_step_has_its_mix_and_only_changes_have_rows(demand: Demand, first: int, last: int,
                                                           rows: int) -> None:
    mix, row = demand.mix(first, last)
    assert len(mix) == rows
    for c, name in enumerate(demand.index.classes):
        slots = mix[row, c]
        moved = MOVED[name][first:last]
        assert slots[:, 0].tolist() == (1 - moved).tolist()
        if name != "still":
            assert slots[:, 1].tolist() == moved.tolist()
