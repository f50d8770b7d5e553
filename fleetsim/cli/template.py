"""The scenario that `fleetsim new` writes."""

TEMPLATE = """\
# A small scenario: one fleet, one pool, two traffic classes, a launch that doubles the free traffic.
# Check it with `fleetsim check`, run it with `fleetsim run`. Times are UTC; a quantity's unit is in its name.
fleetsim: 1
name: {name}
description: A chat product on 700 rented A100s; free traffic doubles after a launch.

horizon: {start: 2024-01-01, end: 2024-03-01, step_s: 300}

fleets:
  rented:                          # GPUs of one type at one provider, delivered in dated tranches
    gpu: a100-80gb
    provider: azure
    tranches: [{date: 2024-01-01, gpus: 700}]
    node_mtbf_h: 6330              # one 8-GPU node fails about every nine months ...
    repair_h: 24                   # ... and is back after a day
    draining_frac: 0.0364          # being deployed, drained or maintained at any time

pools:
  chat: {fleets: {rented: {share_frac: 1.0}}}

services:
  small: {model: gpt35, efficiency_frac: 0.30}    # rates from the catalogue x production efficiency
  large: {model: gpt4o, efficiency_frac: 0.30}

traffic:
  paid:
    pool: chat
    service: large
    messages_per_day: 900_000
    prompt_tokens: {mean: 2700, cv: 1.3}
    output_tokens: {mean: 400, cv: 1.05}
    priority: 0                    # served first
    shape: {kind: consumer, peak_to_mean: 1.30, weekend_to_weekday: 0.82}
    patience_s: 60                 # mean time that a user waits before giving up
  free:
    pool: chat
    service: small
    messages_per_day: 4_000_000
    prompt_tokens: {mean: 1100, cv: 1.3}
    output_tokens: {mean: 300, cv: 1.05}
    priority: 1
    shape: {kind: consumer, peak_to_mean: 1.30, weekend_to_weekday: 0.82}
    patience_s: 30

surges:
  launch: {class: free, kind: step, start: 2024-02-01, extra_messages_per_day: 4e6}

contracts:
  rent: {kind: reserved, fleet: rented, usd_per_gpu_hour: 1.30, list_usd_per_gpu_hour: 4.10}

offers:                            # what more capacity would cost, and how long it takes
  more: {gpu: a100-80gb, usd_per_gpu_hour: 1.30, lead_time_days: 30}

objectives:
  - "result:traffic.paid.shed_frac <= 0.001"
  - "result:cost.total_usd <= 1.6e6"
"""
