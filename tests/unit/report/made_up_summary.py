"""A made-up `summary.json` for the report's tests."""

from typing import Any

OFFER = {"gpu": "a100-80gb", "lead_time_days": 30.0, "usd_per_gpu_hour": "1.30", "min_gpus": 1000,
         "expires": None}


def pool(*, short: bool) -> dict[str, Any]:
    """The decision of one pool."""
    dates = {"order_by": "2024-02-12T15:00:00Z", "order_by_before_start": False, "expired_by_then": False,
             "reason": None}
    never = {"order_by": None, "order_by_before_start": None, "expired_by_then": None,
             "reason": "the pool never runs short"}
    return {
        "gpu": "a100-80gb", "mixed_gpus": False,
        "peak_load_frac": 1.0983 if short else 0.769, "peak_load_hour": "2024-03-30T15:00:00Z",
        "work_without_gpus": False, "stock_out_hours": 87 if short else 0,
        "first_stock_out": "2024-03-13T15:00:00Z" if short else None,
        "short_gpus_at_first_stock_out": 102.4 if short else None,
        "peak_required_gpus": 34_623.4, "peak_required_minus_rented_gpus": 5_623.4,
        "offers": {"more": {**OFFER, **(dates if short else never)}},
    }


def class_figures(name: str, *, lost: int) -> dict[str, Any]:
    """The figures of one traffic class."""
    figures = {"messages": 38e6, "messages_per_day": 422_222.2, "output_tokens_per_day": 1.9e8,
               "served_frac": 0.998 if lost else 1.0, "degraded_frac": 0.0, "shed_frac": lost / 38e6,
               "lost_messages": lost, "waiting_messages": 0, "unserved_frac": lost / 38e6,
               "wait_mean_s": 0.4 if lost else 0.0, "wait_p50_s": 0.0,
               "wait_p99_s": 9.51 if lost else 0.0, "slo_met_frac": None}
    return {f"traffic.{name}.{key}": value for key, value in figures.items()}


def made_up_summary(*, short: bool = True) -> dict[str, Any]:
    """Two pools, two fleets, two contracts, two classes; the first pool runs short, or none does."""
    fleets = {"azure": 35_000.0, "training": 12_000.0}
    figures: dict[str, Any] = {}
    for name, gpus in fleets.items():
        figures |= {f"fleets.{name}.rented_gpus": gpus, f"fleets.{name}.healthy_frac": 0.96,
                    f"fleets.{name}.allocated_frac": 0.96,
                    f"fleets.{name}.busy_frac": 0.0 if name == "training" else 0.5941,
                    f"fleets.{name}.cost_usd": gpus * 2160 * 1.3}
    figures |= class_figures("plus", lost=0) | class_figures("free_text", lost=72_424 if short else 0)
    figures |= {"traffic.messages_per_day": 844_444.4, "traffic.shed_frac": 0.00095 if short else 0.0,
                "cost.inference_usd": 98_280_000.0, "cost.training_usd": 33_696_000.0,
                "cost.total_usd": 131_976_000.0, "cost.elastic_bound_usd": 70_100_000.0,
                "cost.billed_usd": 141_976_000.0, "cost.prepaid_usd": 10_000_000.0,
                "cost.remaining_usd": 5_000_000.0, "cost.list_savings_rate_frac": 0.675,
                "cost.unused_usd": 2_000_000.0, "contracts.azure-a100.utilisation_frac": 0.96,
                "contracts.azure-training.utilisation_frac": None}
    return {
        "scenario": "made-up", "run_id": "0123456789abcdef", "seed": 7,
        "horizon": {"start": "2024-01-01T00:00:00Z", "recorded_from": "2024-01-01T00:00:00Z",
                    "end": "2024-03-31T00:00:00Z", "hours": 2160, "step_s": 300},
        "pools": {"chatgpt": pool(short=short), "api": pool(short=False)},
        "fleets": {name: {"uncovered_gpu_hours": 0.0} for name in fleets},
        "uncovered_gpu_hours": 0.0,
        "contracts": {
            name: {"kind": "reserved", "fleet": fleet, "provider": "azure",
                   "effective_usd": str(fleets[fleet] * 2160 * 1.3), "gpu_hours": fleets[fleet] * 2160,
                   "usd_per_gpu_hour": 1.3}
            for name, fleet in {"azure-a100": "azure", "azure-training": "training"}.items()
        },
        "published": [
            fact("S1-22", "inference fleet", "fleets.azure.rented_gpus", "input", 35_000.0, 35_000.0),
            fact("S1-04", "rent of the inference fleet", "cost.inference_usd", "computed", 98e6, 98.28e6),
            fact("S1-05", "training cost", "cost.training_usd", "computed", 30e6, 33.696e6,
                 note="the article counts nine months"),
        ],
        "objectives": [
            {"objective": "result:traffic.plus.shed_frac <= 0.001", "figure": "traffic.plus.shed_frac",
             "operator": "<=", "value": "0.001", "simulated": "0.0", "met": True},
            {"objective": "result:cost.total_usd <= 1e8", "figure": "cost.total_usd", "operator": "<=",
             "value": "100000000.0", "simulated": "131976000.0", "met": False},
        ],
        "objectives_met": False,
        "figures": figures,
        "totals": {"rows": "123456", "effective_usd": "131976000.000000"},
    }


def fact(name: str, what: str, figure: str, role: str, value: float, simulated: float,
         note: str | None = None) -> dict[str, Any]:
    """One row of published against simulated."""
    difference = simulated / value - 1
    return {"fact": name, "what": what, "source": "a newspaper", "figure": figure, "role": role,
            "value": value, "low": None, "high": None, "simulated": simulated, "difference_frac": difference,
            "agrees": abs(difference) <= 0.01, "note": note}
