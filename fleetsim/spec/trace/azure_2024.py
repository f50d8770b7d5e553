"""Azure LLM inference trace 2024 (Azure/AzurePublicDataset, AzureLLMInferenceDataset2024.md).

    TIMESTAMP,ContextTokens,GeneratedTokens
    2024-05-10 00:00:00.009930+00:00,2162,5

Times in microseconds with their zone; a whole second is written without a fraction.
"""

from fleetsim.spec.trace.layout import Format, Layout

AZURE_2024 = Format(
    Layout("azure-2024", time="TIMESTAMP", prompt="ContextTokens", output="GeneratedTokens", unit="iso"),
    "Azure LLM inference 2024: a week of a conversation and of a code service",
)
