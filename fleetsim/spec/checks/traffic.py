"""Traffic classes: what they refer to, where their messages come from, mixes and shapes."""

from collections import defaultdict
from datetime import datetime

from fleetsim.errors import did_you_mean
from fleetsim.model.base import at, change_dates
from fleetsim.model.profile import highest_peak_to_mean
from fleetsim.model.traffic import Curve, Move, ServiceMix, Shape, TrafficClass, Volume
from fleetsim.policies import Degrade
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath
from fleetsim.spec.series import load_series

_ROUNDING = 1e-9
_NEGLIGIBLE = 1e-3

Users = list[tuple[str, Volume]]
"""The classes of one curve."""


def check_traffic(draft: Draft) -> None:
    for name, asker in draft.traffic.items():
        path: NodePath = ("traffic", name)
        if isinstance(asker.service, ServiceMix):
            _check_mix(draft, asker.service.mix, (*path, "service", "mix"))
        if isinstance(asker.messages_per_day, Volume):
            _check_volume(draft, name, asker.messages_per_day)
        _check_shape(draft, asker.shape, (*path, "shape"))
        _check_work(draft, name, asker)
    _check_curve_shares(draft)
    for name, curve in draft.of("curves").items():
        _check_anchors(draft, curve, ("curves", name))


def _check_work(draft: Draft, name: str, asker: TrafficClass) -> None:
    """A message that takes no GPU time cannot be queued, shared out or priced."""
    if asker.prompt_tokens.mean or asker.output_tokens.mean:
        return
    cheaper = [
        policy.to[name]
        for policy in draft.of("policies").values()
        if isinstance(policy, Degrade) and name in policy.to
    ]
    for word in [*asker.services(), *cheaper]:
        service = draft.services.get(word)
        if service is not None and service.gpu_s_per_call is None:
            message = f"a message without tokens takes service {word!r} no time at all"
            hint = "give prompt_tokens or output_tokens a mean above 0"
            draft.error("no-work", ("traffic", name, "output_tokens", "mean"), message, hint)
            return


def _check_volume(draft: Draft, name: str, volume: Volume) -> None:
    path: NodePath = ("traffic", name, "messages_per_day")
    sources = {"curve": volume.curve, "anchors": volume.anchors, "series": volume.series}
    given = [key for key, value in sources.items() if value is not None]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        draft.error(
            "not-one-of", path, f"give curve, anchors or series, one of the three; got {got}", key=True
        )
    written = draft.root.find((*path, "share_frac"))
    if volume.curve is None and written is not None and given:
        draft.error(
            "share-without-curve",
            (*path, "share_frac"),
            "is the share of a curve; there is no curve here",
            "add `curve:`, or remove it",
            key=True,
        )
    if volume.anchors is not None:
        _check_anchors(draft, volume.anchors, (*path, "anchors"))
    if volume.series is not None:
        load_series(draft, name, volume.series)


def _check_anchors(draft: Draft, anchors: Curve, path: NodePath) -> None:
    """Between anchors the curve is log-linear, which 0 is not part of."""
    node = draft.root.find(path)
    if node is None or not any(anchors.values()):
        return
    for key, child in node.entries().items():
        if child.value == 0:
            draft.error(
                "zero-anchor",
                (*path, key),
                "an anchor of 0 has no log-linear way to the others",
                "use a small number, or a share_frac that is 0 until the class starts",
            )


def _check_mix(draft: Draft, moves: tuple[Move, ...], path: NodePath) -> None:
    if not moves:
        draft.error("empty-mix", path, "has no move", "write the name of the service instead")
        return
    holding = {moves[0].from_}
    previous: datetime | None = None
    for index, move in enumerate(moves):
        here: NodePath = (*path, index)
        if move.from_ == move.to:
            draft.error("mix-same-service", (*here, "to"), f"moves from {move.to!r} to itself")
        if previous is not None and move.start < previous:
            message = f"starts {shown(move.start)}, before the move above ({shown(previous)})"
            draft.error("mix-order", (*here, "start"), message, "put moves in order of their dates")
        elif draft.has("services", move.from_) and move.from_ not in holding:
            message = f"service {move.from_!r} serves nothing any more when this move starts"
            draft.error(
                "mix-no-share", (*here, "from"), message, f"still serving: {', '.join(sorted(holding))}"
            )
        if move.end is not None and move.end < move.start:
            message = f"must not be before the start {shown(move.start)}, got {shown(move.end)}"
            draft.error("ends-before-start", (*here, "end"), message)
        previous = move.start
        holding = (holding - {move.from_}) | {move.to}


def _check_shape(draft: Draft, shape: Shape, path: NodePath) -> None:
    written = draft.root.find(path)
    if written is None:
        return
    if shape.timezone != "UTC":
        _check_timezone(draft, shape.timezone, (*path, "timezone"))
    if shape.kind != "consumer":
        for key in ("peak_to_mean", "weekend_to_weekday"):
            if written.child(key) is not None:
                draft.warning(
                    "no-effect",
                    (*path, key),
                    f"does nothing in a shape of kind {shape.kind}",
                    "write kind: consumer, or remove it",
                    key=True,
                )
        return
    highest = highest_peak_to_mean()
    if shape.peak_to_mean < 1:
        draft.error(
            "out-of-range",
            (*path, "peak_to_mean"),
            f"must be at least 1, got {shape.peak_to_mean:g}: no day's peak is below its mean",
        )
    elif shape.peak_to_mean > highest:
        draft.error(
            "negative-trough",
            (*path, "peak_to_mean"),
            f"must be at most {highest:.2f}, got {shape.peak_to_mean:g}: the quietest hour would be below 0",
        )


def _check_timezone(draft: Draft, name: str, path: NodePath) -> None:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(name, sorted(available_timezones()))
        draft.error("unknown-timezone", path, f"no timezone {name!r}", hint)


def _check_curve_shares(draft: Draft) -> None:
    """At no date may the classes of a curve have more than all of it; less than all is a warning."""
    users: dict[str, Users] = defaultdict(list)
    for name, asker in draft.traffic.items():
        volume = asker.messages_per_day
        if isinstance(volume, Volume) and volume.curve is not None and volume.curve in draft.names("curves"):
            users[volume.curve].append((name, volume))
    for curve, classes in users.items():
        totals = [(date, _shares(classes, date)) for date in _share_dates(draft, classes)]
        above = [(date, shares) for date, shares in totals if sum(shares.values()) > 1 + _ROUNDING]
        below = [(date, shares) for date, shares in totals if sum(shares.values()) < 1 - _NEGLIGIBLE]
        path = ("traffic", classes[-1][0], "messages_per_day", "share_frac")
        if above:
            draft.error("shares-above-one", path, _sum_words(curve, *above[0]))
        elif below and len(classes) > 1:
            hint = "the rest of the curve is nobody's"
            draft.warning("shares-below-one", path, _sum_words(curve, *below[0]), hint)


def _shares(classes: Users, date: datetime) -> dict[str, float]:
    return {name: at(volume.share_frac, date) for name, volume in classes}


def _share_dates(draft: Draft, classes: Users) -> list[datetime]:
    """The horizon's start and the dates in it at which a share changes."""
    dates = {date for _, volume in classes for date in change_dates(volume.share_frac)}
    if draft.horizon is not None:
        dates = {date for date in dates if draft.horizon.start < date < draft.horizon.end}
        dates.add(draft.horizon.start)
    return sorted(dates)


def _sum_words(curve: str, date: datetime, shares: dict[str, float]) -> str:
    listed = ", ".join(f"{name} {share:g}" for name, share in shares.items() if share)
    return f"the shares of curve {curve!r} add up to {sum(shares.values()):g} from {shown(date)}: {listed}"
