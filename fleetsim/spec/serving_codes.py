"""Faults of services with a step law; see `fleetsim.spec.codes`."""

SERVING_TABLE = """
unknown-step-law
  The catalogue has no step law of that model, or none under that profile.
  wrong: step_law: {model: llama, profile: 2024-engine}
  right: step_law: {model: llama-2-70b, profile: 2026-engine}
unknown-model-shape
  The catalogue has no model shape of that name.
  wrong: roofline: {shape: llama, ...}
  right: roofline: {shape: llama-2-70b, ...}
profile-without-model
  `profile` names a generation of serving engine under which the catalogue knows the model.
  wrong: step_law: {profile: 2026-engine, gpus: {...}}
  right: step_law: {model: llama-2-70b, profile: 2026-engine}
no-step-law
  A pool of the service has a fleet of a gpu type for which there is no step law. None is derived from
  another type's.
  wrong: a fleet of h200-141gb behind {model: llama-2-70b, profile: 2023-engine}
  right: a fleet of h100-80gb, or own step laws under `gpus`
no-link-bandwidth
  The all-reduces of a replica of several GPUs need the bandwidth of the links between them.
  wrong: gpus: {mine: {bf16_dense_tflops: 312, ...}}
  right: gpus: {mine: {bf16_dense_tflops: 312, link_gb_per_s: 300, ...}}
model-does-not-fit
  The weights and the reserve fill the memory of a replica: no KV can be held.
  wrong: a 70B model of 16 bit with gpus_per_replica: 1 on 80 GB
  right: gpus_per_replica: 8
batch-beyond-law
  A table of step times is not continued beyond its last batch.
  wrong: max_batch: 128 with decode_ms up to batch 64
  right: max_batch: 64
batch-beyond-measured
  A warning: the law is a straight line through smaller batches.
  wrong: max_batch: 256 with a law fitted up to batch 64
  right: max_batch: 64
replica-size
  A step law holds for replicas of the GPUs on which it was measured.
  wrong: gpus_per_replica: 4 with a law of 8 GPUs
  right: gpus_per_replica: 8
longer-than-kv
  The mean request does not fit into the KV cache of one replica: most would be rejected.
  wrong: prompt_tokens: {mean: 2e6} with a KV cache of 1.4e6 tokens
  right: prompt_tokens: {mean: 2e3}
context-beyond-kv
  A warning: requests of the context limit exceed the KV cache of a replica, and are rejected.
  wrong: context_limit_tokens: 128_000 with a KV cache of 60_000 tokens
  right: context_limit_tokens: 32_000
latency-table-differs
  A latency table holds for the service, step laws, batching, routing, traffic classes and tokens that it was
  measured with. Calibrate again after a change of them.
  wrong: a table of batching.max_batch 64 for a service of max_batch 256
  right: fleetsim calibrate SERVICE --in FILE --out TABLE.parquet --force
latency-table-without-law
  Times are known for services with a step law only.
  wrong: {model: gpt-4-turbo, latency_table: table.parquet}
  right: {step_law: {...}, latency_table: table.parquet}
prompt-beyond-law
  A warning: many prompts are longer than the step law holds for; whole, their prefill may take longer.
  wrong: prompt_tokens: {mean: 8_000} with prefill_limit_tokens: 2_048
  right: batching: {prefill: chunked}, or a law of long prompts
"""
