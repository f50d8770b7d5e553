"""Random services, traffic classes, surges and policies."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from fleetsim.model.pool import Pool
from fleetsim.model.scenario import Horizon
from fleetsim.model.service import Rates, Service
from fleetsim.model.surges import SURGES
from fleetsim.model.traffic import Move, Retry, ServiceMix, Shape, TokenCount, TrafficClass, Volume
from fleetsim.policies import POLICIES

Named = dict[str, Any]


def inside(horizon: Horizon, frac: float) -> datetime:
    """An instant of the horizon, on a whole second."""
    return horizon.start + timedelta(seconds=round(frac * (horizon.end - horizon.start).total_seconds()))


def moments(horizon: Horizon) -> st.SearchStrategy[datetime]:
    """Instants inside the horizon."""
    return st.floats(0.01, 0.9).map(lambda frac: inside(horizon, frac))


@st.composite
def services(draw: Any, horizon: Horizon) -> dict[str, Service]:
    """Three services, from dear to cheap: 16, 4 and 1 A100-seconds for the usual call, or so."""
    found = {}
    for i, seconds in enumerate((16.0, 4.0, 1.0)):
        efficiency: Any = draw(st.sampled_from([0.3, 1.0]))
        if draw(st.booleans()):
            efficiency = {horizon.start: efficiency, draw(moments(horizon)): 0.7}
        by_rates = draw(st.booleans())
        found[f"service{i}"] = Service(
            rates=Rates(4_000 / seconds, 400 / seconds) if by_rates else None,
            gpu_s_per_call=None if by_rates else seconds,
            efficiency_frac=efficiency, gpus_per_replica=draw(st.sampled_from([1, 8])))
    return found


@st.composite
def classes_of(draw: Any, pools: tuple[str, ...], known: tuple[str, ...],
               horizon: Horizon) -> dict[str, TrafficClass]:
    """One to five traffic classes."""
    return {f"class{i}": draw(classes(pools, known, horizon)) for i in range(draw(st.integers(1, 5)))}


@st.composite
def classes(draw: Any, pools: tuple[str, ...], known: tuple[str, ...], horizon: Horizon) -> TrafficClass:
    service: Any = draw(st.sampled_from([*known[:2], *known]))
    if draw(st.integers(0, 3)) == 0:
        first, then, last = draw(st.permutations(known))
        start = draw(moments(horizon))
        end = draw(st.sampled_from([None, start + timedelta(hours=5, minutes=7)]))
        service = ServiceMix((Move(first, then, start, end),
                              Move(then, last, start + timedelta(hours=3))))
    return TrafficClass(
        pool=draw(st.sampled_from(pools)), service=service,
        messages_per_day=draw(volumes(horizon)),
        prompt_tokens=TokenCount(draw(st.sampled_from([0.0, 700.0, 2_700.0]))),
        output_tokens=TokenCount(draw(st.sampled_from([0.0, 40.0, 400.0]))),
        calls_per_message=draw(st.sampled_from([1.0, 1.2])),
        priority=draw(st.integers(0, 2)),
        shape=draw(st.sampled_from([Shape(), Shape("enterprise"), Shape("consumer", 1.6, 0.8),
                                    Shape("consumer", 1.3, 1.0, "America/Los_Angeles")])),
        noise_cv_frac=draw(st.sampled_from([0.0, 0.03, 0.5])),
        noise_correlation_frac=draw(st.sampled_from([0.0, 0.5, 1.0])),
        patience_s=draw(st.sampled_from([None, None, 2.0, 30.0, 900.0, 40_000.0])),
        retry=draw(st.sampled_from([None, Retry(), Retry(3, 0.7, 1_200.0), Retry(1, 1.0, 1.0)])),
        slo_wait_s=draw(st.sampled_from([None, 0.0, 10.0, 1_000.0])))


@st.composite
def volumes(draw: Any, horizon: Horizon) -> Any:
    """Messages a day: none, a trickle, or as many as the fleets can and cannot serve."""
    level = draw(st.sampled_from([0.0, 9.0, 1e3, 3e4, 3e5, 3e6])) * draw(st.floats(0.3, 3.0))
    if level == 0 or draw(st.booleans()):
        return level
    return Volume(anchors={horizon.start: level, draw(moments(horizon)): level * 4, horizon.end: level / 9})


@st.composite
def surges_of(draw: Any, classes: tuple[str, ...], horizon: Horizon) -> Named:
    """Up to three surges."""
    found: Named = {}
    for i in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        kind = draw(st.sampled_from(sorted(set(SURGES) & set(SURGE_FIELDS))))
        start = draw(moments(horizon))
        fields = {**SURGE_FIELDS[kind]}
        if kind in ("step", "multiplier", "sign_up_pause"):
            fields["end"] = start + timedelta(hours=draw(st.integers(1, 20)))
        found[f"surge{i}"] = SURGES[kind](class_=draw(st.sampled_from(classes)), start=start, **fields)
    return found


SURGE_FIELDS: dict[str, Named] = {
    "step": {"extra_messages_per_day": 200_000.0},
    "multiplier": {"factor": 5.0},
    "spike": {"extra_frac": 6.0, "tau_days": 0.2},
    "logistic": {"extra_messages_per_day": 400_000.0, "midpoint_days": 0.5, "tau_days": 0.1},
    "sign_up_pause": {},
}


@st.composite
def policies_of(draw: Any, pools: Mapping[str, Pool], traffic: Mapping[str, TrafficClass],
                known: tuple[str, ...], elastic: set[str]) -> Named:
    """At most one policy of each kind and thing; pools on `elastic` fleets scale."""
    found: Named = {}

    def sometimes(kind: str, name: str, *, one_in: int = 3, **fields: Any) -> None:
        if draw(st.integers(1, one_in)) == one_in:
            found[f"{kind}-{name}"] = POLICIES[kind](**fields)

    for name in traffic:
        sometimes("rate_limit", name, class_=name, one_in=5,
                  max_messages_per_s=draw(st.sampled_from([0.0, 0.02, 2.0, 40.0])))
        sometimes("max_wait", name, class_=name, one_in=4,
                  max_wait_s=draw(st.sampled_from([0.0, 5.0, 3_000.0])))
    for name, pool in pools.items():
        here = [of for of, asker in traffic.items() if asker.pool == name]
        sometimes("shed", name, pool=name, one_in=4, above_load_frac=draw(st.sampled_from([0.7, 1.0, 2.0])))
        cheaper = st.sampled_from([known[-1]] * 3 + [*known])
        sometimes("degrade", name, pool=name, one_in=2, to={of: draw(cheaper) for of in here},
                  above_load_frac=draw(st.sampled_from([0.5, 1.0])))
        weights = {fleet: draw(st.sampled_from([0.0, 1.0, 3.0])) for fleet in pool.fleets}
        if sum(weights.values()) > 0:
            sometimes("routing", name, pool=name, weights=weights)
        lenders = [of for of, other in pools.items() if of != name and set(other.fleets) & set(pool.fleets)]
        if lenders:
            sometimes("borrow", name, pool=name, one_in=2, from_=draw(st.sampled_from(lenders)),
                      headroom_frac=draw(st.sampled_from([0.0, 0.05])))
        sometimes("autoscale", name, pool=name, one_in=2 if elastic & set(pool.fleets) else 4,
                  clear_backlog_s=draw(st.sampled_from([0.0, 900.0])),
                  min_gpus=draw(st.sampled_from([0, 16])))
    return found
