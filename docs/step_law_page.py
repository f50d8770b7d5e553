"""The catalogue's step laws for its reference page: every published point beside what the law says of it."""

from typing import Any

from markup import number, table


def step_law_part() -> str:
    """Step laws with their points, cross-checks and model shapes."""
    from fleetsim.spec import catalog

    laws = table(
        ("name", "`step_ms`", "`prefill_us_per_token`", "`decode_us_per_sequence`", "`kv_ns_per_token`",
         "KV, tokens", "source", "date", "grade", "assumed"),
        ((f"`{name}`", number(entry.law.step_ms), number(entry.law.prefill_us_per_token),
          number(entry.law.decode_us_per_sequence), number(entry.law.kv_ns_per_token),
          f"{entry.law.kv_tokens:,}", entry.source, entry.date, entry.grade, entry.assumption)
         for name, entry in catalog.step_profiles().items()))
    power = table(
        ("name", "`idle_w`", "`prompt_w`", "`token_w`", "source"),
        ((f"`{name}`", number(entry.power.idle_w), number(entry.power.prompt_w), number(entry.power.token_w),
          entry.power.source)
         for name, entry in catalog.step_profiles().items() if entry.power is not None))
    fits = table(
        ("name", "point", "measured, ms", "predicted, ms", "error", ""),
        ((f"`{name}`", fit.what, number(fit.measured_ms), f"{fit.predicted_ms:.1f}",
          f"{100 * fit.error_frac:+.1f} %", "" if fit.within_law else "beyond the law")
         for name, entry in catalog.step_profiles().items() for fit in entry.fits()))
    checks = table(
        ("name", "figure", "GPUs", "precision", "prompt", "output", "batch", "measured", "predicted", "error",
         "by", "source", "date", "grade"),
        ((f"`{name}`", entry.what, f"{entry.gpus} x {entry.gpu}", entry.precision, f"{entry.prompt_tokens:,}",
          f"{entry.output_tokens:,}", _batch(entry), number(entry.measured), *_predicted(entry),
          entry.profile or ("a law of its own" if entry.law else "no step law"), entry.source, entry.date,
          entry.grade) for name, entry in catalog.cross_checks().items()))
    shapes = table(
        ("name", "parameters, 1e9", "layers", "`d_model`", "`kv_heads`", "`head_dim`", "source", "date",
         "grade"),
        ((f"`{name}`", number(shape.parameters), shape.layers, f"{shape.d_model:,}", shape.kv_heads,
          shape.head_dim, shape.source, shape.date, shape.grade)
         for name, shape in catalog.model_shapes().items()))
    return f"""\
## Step laws

The time of one step of continuous batching on one replica, for request level. Each law is fitted to the
points below it, all of which are shown; a decode step is predicted at the mean KV of the steps measured.

{laws}

Watts of one GPU by phase: between steps, in prefill, in the rest of a step.

{power}

{fits}

## Cross-checks

Published figures that no law was fitted to. Where GPUs or precision differ from the profile's, the
prediction is a bound and no fit: FP8 and FP4 run faster than the 16 bits of the profiles. A step without
attention is predicted without KV, up to 128 tokens as a batch that decodes, above as one prompt.

{checks}

## Model shapes

`services.NAME.step_law.roofline.shape` names one of them.

{shapes}
"""


def _batch(entry: Any) -> str:
    """Sequences at once, as published or as the prediction assumes; nothing where neither is."""
    if entry.batch_published:
        return f"{entry.batch:,}"
    return "" if entry.predicted() is None else f"{entry.batch:,} assumed"


def _predicted(entry: Any) -> tuple[str, str]:
    """What a step law says of a published figure, and the error; nothing where there is no law."""
    predicted, error = entry.predicted(), entry.error_frac()
    return ("", "") if predicted is None else (f"{predicted:,.1f}", f"{100 * error:+.1f} %")
