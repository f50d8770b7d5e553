"""A kernel that is two: the compiled one does the work, the plain one must do the very same."""

from typing import Any

import numpy as np

from fleetsim.kernel import fluid, fluid_reference
from fleetsim.kernel.arrays import COHORTS, Hourly, Inputs, Steps, Things

FOR_ONE_STEP = {
    "shares": {"portion_s", "room", "work", "cap", "fits", "part"},
    "classes": {"offered", "admitted", "degraded_frac", "queued", "served_now", "cohort_head"},
    "fleets": {"rented", "unhealthy"}, "pools": set(),
}
"""Room for the step at hand, which is no state; and where a ring of cohorts begins."""
NO_STATE = {"arrivals", "cost_gpu_s", "degraded_cost_gpu_s", "shares_before", "classes_before", "cohorts"}


def copied(part: Any) -> Any:
    """A NamedTuple of arrays with arrays of its own."""
    return type(part)(*(value.copy() if isinstance(value, np.ndarray) else value for value in part))


def cut(inputs: Inputs, hourly: Hourly, steps: Steps, steps_per_hour: int, first: int,
        last: int) -> tuple[Inputs, Hourly, Steps]:
    """Views of what concerns the steps from `first` to `last`."""
    rows = slice(first - inputs.first_step, last - inputs.first_step)
    begin, end = first // steps_per_hour, -(-last // steps_per_hour)
    hours = slice(begin - hourly.first_hour, end - hourly.first_hour)
    across = {"gpu_s", "nodes", "messages"}
    return (
        Inputs(first, *(values if name == "mix" else values[rows]
                        for name, values in zip(inputs._fields[1:], inputs[1:], strict=True))),
        Hourly(begin, *(values[:, hours] if name in across else values[hours]
                        for name, values in zip(hourly._fields[1:], hourly[1:], strict=True))),
        Steps(*(values[:, rows] for values in steps)),
    )


def cohorts(things: Things, c: int) -> bytes:
    """The cohorts of a class's queue, the oldest first."""
    head, count = (int(things.classes[name][c]) for name in ("cohort_head", "cohort_count"))
    return b"".join(things.cohorts[c, (head + i) % COHORTS].tobytes() for i in range(count))


def state(things: Things) -> dict[str, Any]:
    """Every bit that the next step, the control plane or the recorder may read."""
    bits: dict[str, Any] = {}
    for name, values in things._asdict().items():
        if name in FOR_ONE_STEP:
            for field in sorted(set(values.dtype.names) - FOR_ONE_STEP[name]):
                bits[f"{name}.{field}"] = values[field].tobytes()
        elif name not in NO_STATE:
            bits[name] = values.tobytes() if isinstance(values, np.ndarray) else values
    bits["cohorts"] = [cohorts(things, c) for c in range(len(things.classes))]
    return bits


def bytes_of(part: Any) -> dict[str, bytes]:
    """The bits of each array of a NamedTuple."""
    return {name: values.tobytes() for name, values in part._asdict().items()
            if isinstance(values, np.ndarray)}


def assert_same(left: dict[str, Any], right: dict[str, Any]) -> None:
    """Both hold the same bits; names what differs."""
    assert left.keys() == right.keys()
    assert [name for name in left if left[name] != right[name]] == []


def both(things: Things, inputs: Inputs, hourly: Hourly, steps: Steps, first: int, last: int) -> None:
    """Advance with the compiled kernel, and a copy with the reference; every bit must be the same."""
    parts = cut(inputs, hourly, steps, things.steps_per_hour, first, last)
    plain, (_, plain_hourly, plain_steps) = copied(things), (copied(part) for part in parts)
    fluid_reference.advance(plain, parts[0], plain_hourly, plain_steps, first, last)
    fluid.advance(things, inputs, hourly, steps, first, last)
    assert_same(bytes_of(parts[1]), bytes_of(plain_hourly))
    assert_same(bytes_of(parts[2]), bytes_of(plain_steps))
    assert_same(state(things), state(plain))
