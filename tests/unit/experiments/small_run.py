"""A small scenario on disk, and contract files for it."""

from pathlib import Path

SCENARIO = """\
fleetsim: 1
name: small
horizon: {start: 2024-02-20, end: 2024-03-10, step_s: 900}
fleets:
  main: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-02-20, gpus: 100}], node_mtbf_h: 2000}
  lab: {gpu: a100-80gb, provider: azure, role: training, tranches: [{date: 2024-02-20, gpus: 16}]}
pools:
  chat: {fleets: {main: {share_frac: 1.0}}}
services:
  small: {gpu_s_per_call: 4.0}
traffic:
  users: {pool: chat, service: small, messages_per_day: 1.2e6, prompt_tokens: {mean: 900, cv: 1},
          output_tokens: {mean: 200, cv: 1}, shape: {kind: consumer, peak_to_mean: 1.3}, patience_s: 30}
budgets:
  compute: {usd_per_month: {2024-02-01: 100_000, 2024-03-01: 120_000}, fleets: [main]}
  cash: {usd_per_month: 200_000, ledger: billed}
contracts:
  rent: {kind: reserved, fleet: main, usd_per_gpu_hour: 1.30, list_usd_per_gpu_hour: 4.10}
  lab-rent: {kind: reserved, fleet: lab, usd_per_gpu_hour: 1.30}
"""
LIST = """\
fleetsim: 1
name: list
contracts:
  by-the-hour: {kind: on_demand, fleet: main, usd_per_gpu_hour: 4.10}
"""
MIX = """\
fleetsim: 1
name: mix
contracts:
  base: {kind: reserved, fleet: main, gpus: 40, usd_per_gpu_hour: 2.0, start: 2024-02-20, term_months: 1,
         payment: {upfront_frac: 0.5}}
  rest: {kind: on_demand, fleet: main, usd_per_gpu_hour: 4.10}
"""
SPOT = """\
fleetsim: 1
name: spot
contracts:
  market: {kind: spot, fleet: main, usd_per_gpu_hour: 1.0, price_cv_frac: 0.2, interruption_mtbf_h: 24,
           interrupted_frac: 0.5, interruption_h: 3}
"""
LEASE = """\
fleetsim: 1
name: lease
contracts:
  lease: {kind: lease, fleet: main, usd_per_gpu_hour: 1.10, term_months: 12, payment: {upfront_frac: 1}}
"""
FILES = {"list": LIST, "mix": MIX, "spot": SPOT, "lease": LEASE}


def written(folder: Path) -> Path:
    """The scenario with its contract files beside it, each one named scenario of it."""
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text)
    scenarios = "".join(f"  {name}: {{contracts: {name}.yaml}}\n" for name in FILES)
    path = folder / "small.yaml"
    path.write_text(f"{SCENARIO}scenarios:\n{scenarios}")
    return path
