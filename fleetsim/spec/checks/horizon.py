"""The horizon: whole hours, in steps that divide an hour."""

from datetime import datetime

from fleetsim.model.scenario import Horizon
from fleetsim.spec.draft import Draft

_PATH = "horizon"


def check_horizon(draft: Draft, horizon: Horizon) -> bool:
    """Report what is wrong; False when its two ends make no stretch of time."""
    for key, instant in (("start", horizon.start), ("end", horizon.end)):
        if not on_the_hour(instant):
            draft.error("not-whole-hours", (_PATH, key), f"must be on a whole hour, got {shown(instant)}")
    steps = [seconds for seconds in (60, 100, 120, 300, 600, 900, 1800, 3600) if seconds <= 3600]
    if 3600 % horizon.step_s:
        near = min(steps, key=lambda seconds: abs(seconds - horizon.step_s))
        draft.error(
            "step-does-not-divide",
            (_PATH, "step_s"),
            f"must divide an hour, got {horizon.step_s} s",
            f"write {near}",
        )
    elif horizon.control_s is not None and horizon.control_s % horizon.step_s:
        message = f"must be a multiple of step_s ({horizon.step_s} s), got {horizon.control_s} s"
        draft.error(
            "control-not-a-multiple",
            (_PATH, "control_s"),
            message,
            f"write {max(1, round(horizon.control_s / horizon.step_s)) * horizon.step_s}",
        )
    if horizon.end <= horizon.start:
        draft.error(
            "ends-before-start",
            (_PATH, "end"),
            f"must be after the start {shown(horizon.start)}, got {shown(horizon.end)}",
        )
        return False
    hours = horizon.warmup_days * 24
    if hours != round(hours):
        draft.error("not-whole-hours", (_PATH, "warmup_days"), f"must be whole hours, got {hours:g} hours")
    length = (horizon.end - horizon.start).total_seconds() / 86_400
    if horizon.warmup_days >= length:
        message = f"must be shorter than the horizon ({length:g} days), got {horizon.warmup_days:g} days"
        draft.error("warmup-too-long", (_PATH, "warmup_days"), message)
    return True


def on_the_hour(instant: datetime) -> bool:
    """Whether tables, which are hourly, can begin or end there."""
    return not (instant.minute or instant.second or instant.microsecond)


def shown(instant: datetime) -> str:
    """An instant as a file would hold it: the date alone at midnight."""
    at_midnight = instant.hour == instant.minute == instant.second == 0
    if at_midnight:
        return f"{instant:%Y-%m-%d}"
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}" if instant.second else f"{instant:%Y-%m-%dT%H:%MZ}"
