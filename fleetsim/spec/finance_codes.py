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
  A figure or a share of revenue needs the section `finance`, which the scenario does not have.
  wrong: result:finance.cash_usd >= 0 without `finance`
  right: finance: {opening_cash_usd: 1e9, ...}
pot-of-two-providers
  Credits and enterprise commitments are dollars at one provider: the fleets of one have the same provider.
  wrong: {kind: credits, fleets: [azure, oracle], ...}
  right: one contract for each of the two
drawn-before
  Credits and enterprise commitments that are open when recording begins say how much of the period's dollars
  is gone by then; those that start later have nothing gone.
  wrong: {kind: credits, start: 2023-01-23, ...}, when recording begins 2024-01-01
  right: {kind: credits, start: 2023-01-23, drawn_before_usd: 2.5e9, ...}
life-ends
  A warning: owned hardware serves beyond its life, at its running costs alone.
  wrong: life_months: 12, when it serves for two years
  right: life_months: 48
paid-in-warm-up
  A warning: something is paid on a day of the warm-up, so that the run has its cost and not its cash.
  wrong: owned hardware delivered 2024-01-01, with warmup_days: 7
  right: a delivery on 2024-01-08, when recording begins
nothing-owed
  A fee for an early end is a share of payments that are still due, a refund of what was paid ahead. Without
  them both are 0.
  wrong: {kind: on_demand, termination: {date: 2024-06-01, fee_frac: 0.5}, ...}
  right: {kind: reserved, end: 2025-01-01, termination: {date: 2024-06-01, fee_frac: 0.5}, ...}
no-price-yet
  A warning: a price by date begins later than what it bills, so that its first value holds before its date.
  wrong: usd_per_gpu_hour: {2030-01-01: 1.0}, in a horizon of 2024
  right: usd_per_gpu_hour: {2024-01-01: 1.3, 2030-01-01: 1.0}
"""
