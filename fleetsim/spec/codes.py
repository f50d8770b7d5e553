"""Every fault that a scenario file can have: what it means, a wrong example and a right one.

The codes are stable: tools may rely on them. `fleetsim explain CODE` prints an entry.
"""

from fleetsim.spec.fidelity_codes import FIDELITY_TABLE
from fleetsim.spec.finance_codes import FINANCE_TABLE
from fleetsim.spec.serving_codes import SERVING_TABLE
from fleetsim.spec.training_codes import TRAINING_TABLE

_TABLE = """
syntax
  The text is no YAML.
  wrong: pools: {chatgpt: {fleets: {a: {gpus: 8}}
  right: pools: {chatgpt: {fleets: {a: {gpus: 8}}}}
tab
  YAML is indented with spaces; a tab has no agreed width.
  wrong: <tab>gpu: a100-80gb
  right:   gpu: a100-80gb
not-utf8
  The file is not UTF-8 text.
  wrong: a file saved as Latin-1
  right: the same file saved as UTF-8
duplicate-key
  A key is written twice in one map; only one of the values could count.
  wrong: {gpus: 8, gpus: 16}
  right: {gpus: 16}
key-not-text
  A key is a number, a truth value or empty. Keys are names, so put it in quotes.
  wrong: labels: {2024: budget}
  right: labels: {"2024": budget}
alias
  Anchors and aliases are not allowed: a value stands where it is written.
  wrong: tokens: &t {mean: 900}
  right: extends: base.yaml, or write the value twice
merge-key
  The merge key << is not part of YAML 1.2.
  wrong: <<: *defaults
  right: extends: base.yaml
too-deep
  Maps and lists stand inside each other more than a hundred levels deep.
  wrong: [[[[...]]]]
  right: [a, b]
tag
  Tags are not allowed: the schema knows every type.
  wrong: gpus: !!int 8
  right: gpus: 8
directive
  Directives such as %YAML are not allowed; files are YAML 1.2.
  wrong: %YAML 1.1
  right: fleetsim: 1
second-document
  A file holds one scenario.
  wrong: a second '---'
  right: two files
unknown-key
  The key does not exist at this place. Nothing is ignored silently.
  wrong: fleets: {a: {gpus: a100-80gb}}
  right: fleets: {a: {gpu: a100-80gb}}
missing-key
  A key without a default is missing.
  wrong: horizon: {start: 2024-01-01}
  right: horizon: {start: 2024-01-01, end: 2025-01-01}
wrong-type
  The value is of another type than the key needs.
  wrong: gpus: "350,000"
  right: gpus: 350_000
out-of-range
  The number is outside its bounds.
  wrong: efficiency_frac: 0
  right: efficiency_frac: 0.30
bad-date
  Not a date. Dates are ISO 8601; a time without a zone is UTC.
  wrong: start: 01/31/2024
  right: start: 2024-01-31
unknown-choice
  The value is none of the words that the key allows.
  wrong: shape: {kind: consumers}
  right: shape: {kind: consumer}
unknown-kind
  No surge, policy or contract of that kind.
  wrong: kind: reservation
  right: kind: reserved
unknown-format
  The version of the file format; this program reads version 1.
  wrong: fleetsim: 2
  right: fleetsim: 1
bad-name
  Names have up to 100 letters, digits, '-' and '_': they are parts of paths, streams and folders.
  wrong: fleets: {azure.east: ...}
  right: fleets: {azure-east: ...}
reserved-name
  `training` and `unassigned` are the pools of GPUs that are in no pool.
  wrong: pools: {training: ...}
  right: fleets: {research: {role: training, ...}}
bad-combination
  Keys that are right alone do not fit together.
  wrong: {kind: take_or_pay, fleet: a, total_usd: 5e9}
  right: {kind: take_or_pay, fleet: a, total_usd: 5e9, term_months: 24}
not-one-of
  Exactly one of several keys must be given.
  wrong: a: {gpus: 8, share_frac: 0.5}
  right: a: {gpus: 8}
unlikely-value
  A warning: the value is allowed but so large that its unit is probably another one.
  wrong: usd_per_gpu_hour: 1300
  right: usd_per_gpu_hour: 1.30
empty-map
  A map of dates needs at least one entry.
  wrong: curves: {chatgpt: {}}
  right: curves: {chatgpt: {2024-01-01: 280e6}}
empty-list
  The list needs at least one entry.
  wrong: class: []
  right: class: [siri]
date-order
  Dates of a map stand in order, each once, so that a file reads as time goes.
  wrong: {2024-06-01: 2, 2024-01-01: 1}
  right: {2024-01-01: 1, 2024-06-01: 2}
missing-file
  A file that `extends` or a series names is not there, or is a folder.
  wrong: extends: bsae.yaml
  right: extends: base.yaml
extends-cycle
  A file extends itself, directly or through others.
  wrong: base.yaml: {extends: base.yaml}
  right: a chain that ends
unknown-scenario
  The file has no scenario of that name.
  wrong: --scenario hihg
  right: --scenario high
unknown-override
  A scenario names an override that the file does not have.
  wrong: scenarios: {high: [aple-high]}
  right: scenarios: {high: [apple-high]}
unknown-path
  An override sets something that is not there. A path names a value of the file, an optional key of
  something in it, or a whole new thing.
  wrong: contracts.azur.usd_per_gpu_hour: 2.6
  right: contracts.azure.usd_per_gpu_hour: 2.6
bad-set
  `--set` takes a dotted path, '=' and a YAML value.
  wrong: --set traffic.plus.patience_s
  right: --set traffic.plus.patience_s=30
left-out
  A warning: things of another file that lie outside this horizon are left out.
  wrong: extends a file of 2025, horizon 2024
  right: nothing to do, when it is meant
unknown-fleet
  The scenario has no fleet of that name.
  wrong: pools: {api: {fleets: {azur: ...}}}
  right: pools: {api: {fleets: {azure: ...}}}
unknown-pool
  The scenario has no pool of that name.
  wrong: traffic: {plus: {pool: chatgtp}}
  right: traffic: {plus: {pool: chatgpt}}
unknown-service
  The scenario has no service of that name.
  wrong: service: gpt4
  right: service: gpt4t
unknown-traffic-class
  The scenario has no traffic class of that name.
  wrong: surges: {apple: {class: sirri}}
  right: surges: {apple: {class: siri}}
unknown-curve
  The scenario has no curve of that name.
  wrong: messages_per_day: {curve: chatgtp}
  right: messages_per_day: {curve: chatgpt}
unknown-contract
  The scenario has no contract of that name.
  wrong: elastic: {contract: ondemand}
  right: elastic: {contract: on-demand}
unknown-gpu-type
  No gpu type of that name, neither in `gpus` nor in the catalogue.
  wrong: gpu: a100
  right: gpu: a100-80gb
unknown-model
  No deployed model of that name in the catalogue.
  wrong: model: gpt-4o
  right: model: gpt4o
unknown-timezone
  No timezone of that name in the IANA database.
  wrong: timezone: New York
  right: timezone: America/New_York
ends-before-start
  The end is not after the start.
  wrong: {start: 2025-01-01, end: 2024-01-01}
  right: {start: 2024-01-01, end: 2025-01-01}
not-whole-hours
  The horizon and the windows of published facts start and end on whole hours; so long is the warm-up.
  wrong: start: 2024-01-01T00:30Z
  right: start: 2024-01-01T00:00Z
step-does-not-divide
  A step divides an hour, since tables are hourly.
  wrong: step_s: 700
  right: step_s: 600
control-not-a-multiple
  Policies decide at step boundaries.
  wrong: {step_s: 300, control_s: 400}
  right: {step_s: 300, control_s: 900}
warmup-too-long
  The warm-up is discarded; nothing would be left.
  wrong: warmup_days: 400
  right: warmup_days: 7
outside-horizon
  A tranche, a surge or a published fact lies outside the simulated time.
  wrong: a tranche of 2026 in a horizon of 2025
  right: a later horizon.end
never-acts
  A warning: something lies outside the simulated time and changes nothing.
  wrong: an outage of 2023 in a horizon of 2024
  right: remove it, or change the horizon
overlaps-itself
  A window comes back before it has ended.
  wrong: {repeat_days: 1} for a window of two days
  right: {repeat_days: 7}
empty-fleet
  A fleet has tranches, an elastic part, or both.
  wrong: {gpu: a100-80gb, provider: azure}
  right: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-01-01, gpus: 8}]}
empty-pool
  A pool has a share of at least one fleet.
  wrong: fleets: {}
  right: fleets: {azure: {gpus: 8}}
slip-order
  The three days of a slip go from early to late.
  wrong: {low_days: 0, mode_days: 90, high_days: 60}
  right: {low_days: 0, mode_days: 60, high_days: 90}
training-fleet-in-pool
  A pool has no GPUs of a fleet with role: training; it may borrow some.
  wrong: pools: {chatgpt: {fleets: {research: ...}}}
  right: pools: {chatgpt: {fleets: {research: {gpus: 0}}}} and a policy borrow, from: training
mixed-shares
  The pools of one fleet either all name GPUs or all name shares.
  wrong: a: {gpus: 8} in one pool, a: {share_frac: 0.5} in another
  right: gpus in both
more-gpus-than-fleet
  More GPUs are asked for, or reserved, than the fleet ever has in the horizon.
  wrong: gpus: 400_000 of a fleet of 350_000
  right: gpus: 350_000
ends-early
  A commitment is ended before it starts, inside its minimum term, or after its end.
  wrong: termination: {date: 2024-03-01, minimum_term_months: 12}, start: 2024-01-01
  right: termination: {date: 2025-03-01, minimum_term_months: 12}, start: 2024-01-01
shares-above-one
  Shares of one fleet, or of one curve at some date, add up to more than all of it.
  wrong: 0.7 and 0.4
  right: 0.6 and 0.4
shares-below-one
  A warning: the classes of a curve have less than all of it.
  wrong: 0.5 and 0.4
  right: 0.6 and 0.4
unassigned-gpus
  A warning: GPUs of a serving fleet are in no pool; they cost and serve nobody.
  wrong: pools with 60_000 of 350_000
  right: pools with 350_000 of 350_000
unused
  A warning: nothing refers to it.
  wrong: a curve that no class follows
  right: remove it, or refer to it
no-work
  A message takes no GPU time: its class has no tokens, and its service is rated in tokens.
  wrong: prompt_tokens: {mean: 0} and output_tokens: {mean: 0}
  right: output_tokens: {mean: 260}
share-without-curve
  `share_frac` is the share of a curve.
  wrong: {anchors: ..., share_frac: 0.5}
  right: {curve: chatgpt, share_frac: 0.5}
zero-anchor
  Between anchors the curve is log-linear, which never reaches 0.
  wrong: {2024-01-01: 0, 2024-06-01: 5e6}
  right: {curve: c, share_frac: {2024-01-01: 0, 2024-06-01: 1}}
empty-mix
  A mix has at least one move.
  wrong: service: {mix: []}
  right: service: gpt4t
mix-order
  Moves stand in order of their dates.
  wrong: October before June
  right: June before October
mix-no-share
  A move takes from a service that serves nothing any more.
  wrong: a to b, then a to c
  right: a to b, then b to c
mix-same-service
  A move goes from one service to another.
  wrong: {from: gpt4t, to: gpt4t}
  right: {from: gpt4t, to: gpt4o}
negative-trough
  The profile is stretched so far that its quietest hour would be negative.
  wrong: peak_to_mean: 3
  right: peak_to_mean: 1.6
no-effect
  A warning: the key does nothing here.
  wrong: {kind: flat, peak_to_mean: 1.3}
  right: {kind: consumer, peak_to_mean: 1.3}
bad-file
  The file cannot be read as a table.
  wrong: a CSV without rows
  right: a CSV with a header and rows
missing-column
  The file has no column of that name.
  wrong: time: date
  right: time: timestamp
bad-cell
  A cell holds no date, no number, or a negative number.
  wrong: 2024-01-01,n/a
  right: 2024-01-01,280000000
unsorted-series
  Rows stand in order of time, each time once.
  wrong: 12:00 before 11:00
  right: 11:00 before 12:00
series-gap
  Rows have one interval; a missing row is not guessed.
  wrong: 10:00, 11:00, 13:00
  right: 10:00, 11:00, 12:00
series-too-short
  The series covers the whole horizon.
  wrong: January for a horizon of a year
  right: all twelve months
policy-twice
  Two policies of one kind act on the same class or pool; only one could have an effect.
  wrong: {kind: shed, pool: chatgpt} twice
  right: one of them
class-in-other-pool
  The policy is for one pool, the class is served by another.
  wrong: degrade pool api: {plus: gpt35}
  right: degrade pool chatgpt: {plus: gpt35}
dearer-service
  A warning: the service that takes over needs as much work or more.
  wrong: to: {free: gpt4t}
  right: to: {free: gpt35}
fleet-not-in-pool
  Work can be routed to the pool's own fleets only.
  wrong: weights: {oracle: 1}
  right: weights: {azure: 1}
no-weight
  Routing weights add up to more than 0.
  wrong: weights: {azure: 0}
  right: weights: {azure: 1}
borrows-from-itself
  Borrower and lender are two pools.
  wrong: {pool: api, from: api}
  right: {pool: api, from: chatgpt}
no-common-fleet
  A pool lends GPUs of fleets that the borrower has a share of, too; jobs borrow on their fleet.
  wrong: pools on two fleets
  right: pools on one fleet
wrong-contract
  Elastic GPUs are billed by a contract of their own fleet that bills what is allocated.
  wrong: elastic: {contract: reserved-2024}
  right: elastic: {contract: on-demand}
covered-twice
  Two contracts bill the same GPU-hours.
  wrong: two reservations of all GPUs
  right: two with gpus or terms that differ
no-contract
  A warning: no contract covers the fleet or a part of it, which then costs nothing.
  wrong: contracts: {}
  right: contracts: {azure: {kind: reserved, fleet: azure, ...}}
bad-objective
  An objective is a figure, an operator and a value.
  wrong: result:traffic.plus.shed_frac small
  right: result:traffic.plus.shed_frac <= 0.001
unknown-operator
  Operators are < <= == >= >.
  wrong: = 0.001
  right: == 0.001
unknown-figure
  No figure of that name.
  wrong: result:traffic.plus.shed
  right: result:traffic.plus.shed_frac
bad-figure
  In `published` a figure is written without 'result:'.
  wrong: figure: result:cost.total_usd
  right: figure: cost.total_usd
band-order
  The lower end of a band is not above its upper end.
  wrong: {low: 5, high: 4}
  right: {low: 4, high: 5}
"""
# One entry per code: its meaning, what is wrong, what is right.


def _parsed(*tables: str) -> dict[str, str]:
    """Code to explanation: the lines below a code, up to the next one."""
    codes: dict[str, str] = {}
    code = ""
    for line in filter(None, "".join(tables).splitlines()):
        if not line.startswith(" "):
            code = line
            codes[code] = ""
        else:
            is_example = line.startswith(("  wrong: ", "  right: "))
            codes[code] += f"{line}\n" if is_example else f"{line.strip()}\n"
    return {name: text.rstrip() for name, text in codes.items()}


CODES = _parsed(_TABLE, SERVING_TABLE, TRAINING_TABLE, FIDELITY_TABLE, FINANCE_TABLE)
"""Code to explanation, in the order in which a file is read."""
