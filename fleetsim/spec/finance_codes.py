"""Faults of the section `finance`, written as the table of `fleetsim.spec.codes`."""

FINANCE_TABLE = """
unknown-revenue-stream
  The name refers to no stream of `finance.revenue`.
  wrong: of: api, when the stream is api-tokens
  right: of: api-tokens
unknown-cost
  The name refers to no cost of `finance.costs`.
  wrong: figure: finance.cost.salaries_usd, when the cost is staff
  right: figure: finance.cost.staff_usd
share-of-share
  A revenue share is a share of streams that are no shares themselves.
  wrong: {kind: share, of: amazon, share_frac: 0.1}, when amazon is a share
  right: {kind: share, of: gross, share_frac: 0.1}
class-sold-twice
  Two streams of one kind are paid for the same traffic class.
  wrong: two `tokens` streams with traffic_classes: [api]
  right: one of them
round-outside
  A warning: a funding round lies outside the recorded hours, so nobody receives it.
  wrong: {date: 2023-01-23, usd: 10e9}, when the horizon starts 2024-01-01
  right: opening_cash_usd: 10e9
no-finance
  The figure needs the section `finance`, which the scenario does not have.
  wrong: result:finance.cash_usd >= 0 without `finance`
  right: finance: {opening_cash_usd: 1e9, ...}
"""
