"""Azure LLM inference trace 2023 (Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md).

    TIMESTAMP,ContextTokens,GeneratedTokens
    2023-11-16 18:15:46.6805900,374,44

Times in steps of 100 ns without a zone.
"""

from fleetsim.spec.trace.layout import Format, Layout

AZURE_2023 = Format(
    Layout("azure-2023", time="TIMESTAMP", prompt="ContextTokens", output="GeneratedTokens", unit="iso"),
    "Azure LLM inference 2023: an hour of a conversation and of a code service",
)
