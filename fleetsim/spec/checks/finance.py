"""Finance: streams that refer to each other and to classes, and rounds that lie in the horizon."""

from datetime import timedelta

from fleetsim.model.finance import Finance
from fleetsim.model.revenue import StreamShare, Subscription, TokenRevenue
from fleetsim.spec.checks.fleets import span
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft

_REVENUE = ("finance", "revenue")


def check_finance(draft: Draft) -> None:
    if draft.finance is None:
        return
    _check_shares(draft, draft.finance)
    _check_classes(draft, draft.finance)
    _check_dates(draft, draft.finance)
    if not draft.names("contracts"):
        message = "no contract says what compute costs: the P&L has none"
        draft.warning("no-contract", ("finance",), message, "add `contracts:`", key=True)


def _check_shares(draft: Draft, finance: Finance) -> None:
    for name, share in finance.revenue.items():
        if not isinstance(share, StreamShare):
            continue
        path = (*_REVENUE, name, "of")
        if not share.streams:
            draft.error("empty-list", path, "names no revenue stream")
        for index, stream in enumerate(share.streams):
            if isinstance(finance.revenue.get(stream), StreamShare):
                here = path if isinstance(share.of, str) else (*path, index)
                message = f"{stream!r} is a share itself"
                draft.error("share-of-share", here, message, "name the streams that it is a share of")


def _check_classes(draft: Draft, finance: Finance) -> None:
    """A class is sold once: its tokens to one price, its users by one subscription."""
    for kind in (Subscription, TokenRevenue):
        sold: dict[str, str] = {}
        for name, stream in finance.revenue.items():
            if not isinstance(stream, kind):
                continue
            path = (*_REVENUE, name, "traffic_classes")
            if not stream.traffic_classes and (isinstance(stream, TokenRevenue) or stream.role == "computed"):
                draft.error("empty-list", path, "names no traffic class")
            for index, traffic_class in enumerate(stream.traffic_classes):
                other = sold.setdefault(traffic_class, f"{name}[{index}]")
                if other != f"{name}[{index}]":
                    message = f"class {traffic_class!r} is paid for by {other.partition('[')[0]!r} already"
                    draft.error("class-sold-twice", (*path, index), message, "name it in one of the two")


def _check_dates(draft: Draft, finance: Finance) -> None:
    horizon = draft.horizon
    if horizon is None:
        return
    start = horizon.start + timedelta(days=horizon.warmup_days)
    for name, each in finance.funding.items():
        if not start <= each.date < horizon.end:
            within = span(start, horizon.end)
            message = f"{shown(each.date)} lies outside {within}: the round is never received"
            hint = "money that is there already is opening_cash_usd" if each.date < start else ""
            draft.warning("round-outside", ("finance", "funding", name, "date"), message, hint)
