"""BurstGPT (HPMLL/BurstGPT): four months of calls to ChatGPT and GPT-4 in seconds from the first day.

    Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
    5,ChatGPT,472,18,490,Conversation log

Later releases have `Session ID` and `Elapsed time` too. The model is the traffic class. A failed call has
0 response tokens and is dropped as `zero_output`.
"""

from fleetsim.spec.trace.layout import Format, Layout

BURSTGPT = Format(
    Layout("burstgpt", time="Timestamp", prompt="Request tokens", output="Response tokens", unit="s",
           class_column="Model"),
    "BurstGPT: calls to ChatGPT and GPT-4 at a university; the model is the class",
)
