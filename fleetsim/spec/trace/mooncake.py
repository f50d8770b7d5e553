"""Mooncake traces (kvcache-ai/Mooncake, FAST25-release/traces): JSON lines, milliseconds from the start.

    {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 48]}

`hash_ids` (which blocks of prompts are shared) is ignored: a trace holds no prefixes.
"""

from fleetsim.spec.trace.layout import Format, Layout

MOONCAKE = Format(
    Layout("mooncake", time="timestamp", prompt="input_length", output="output_length", unit="ms",
           lines="json"),
    "Mooncake: an hour of Kimi's conversations, tools and agents",
)
