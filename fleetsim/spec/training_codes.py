"""Faults of training jobs and their fleets, written as the table of `fleetsim.spec.codes`."""

TRAINING_TABLE = """
job-on-serving-fleet
  Training jobs run on fleets with role: training, or on what a pool lends them.
  wrong: training_jobs: {run: {fleet: azure-inference, ...}}
  right: fleets: {research: {role: training, ...}}, training_jobs: {run: {fleet: research, ...}}
job-too-large
  The fleet never has beside its spares, or its pools never lend, as many GPUs: the job waits for ever.
  wrong: gpus: 200_000 on a fleet of 120,000
  right: gpus: 24_576
checkpoint-interval
  interval_s belongs to rule: fixed, and to no other.
  wrong: checkpoint: {rule: daly, interval_s: 1800}
  right: checkpoint: {rule: fixed, interval_s: 1800}
checkpoint-duration
  A checkpoint takes write_s, or state_gb / storage_gb_per_s; an overlapped one ends before the next begins.
  wrong: checkpoint: {write_s: 60, state_gb: 6500}
  right: checkpoint: {state_gb: 6500, storage_gb_per_s: 2000}
spread-order
  The ninth decile of a spread is above its median, and `high` is not below `low`.
  wrong: gpus: {median: 128, p90: 64}
  right: gpus: {median: 64, p90: 128}
too-many-events
  A run keeps every job, crash and failure of a node. So many more than 20 million are a wrong unit.
  wrong: node_mtbf_h: 0.001, repair_h: 0.001
  right: node_mtbf_h: 3692, repair_h: 24
half-a-domain
  A failure domain has a number of nodes and a time between failures.
  wrong: reliability: {domain_nodes: 32}
  right: reliability: {domain_nodes: 32, domain_mtbf_h: 50_000}
"""
