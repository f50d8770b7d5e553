"""Options of `replay` that are for a trace of requests alone."""

from pathlib import Path
from typing import Annotated

import typer

from fleetsim.model.replica import MOST_REPLICAS

ReplayedService = Annotated[
    str | None, typer.Option("--service", metavar="S", help="Model with a step law; requests need it.")
]
ReplayedGpu = Annotated[str | None, typer.Option("--gpu", metavar="G", help="GPU type; requests need it.")]
ReplicaCount = Annotated[
    int | None,
    typer.Option("--replicas", metavar="N", min=1, max=MOST_REPLICAS,
                 help="How many replicas; requests need it."),
]
LoadFrac = Annotated[
    float | None,
    typer.Option("--load-frac", metavar="X", help="Stretch time to this share of full replicas."),
]
WarmUp = Annotated[float, typer.Option("--warm-up-s", metavar="S", min=0, help="Left out of the rates.")]
RequestsOut = Annotated[
    Path | None, typer.Option("--requests-out", metavar="FILE", help="Parquet file of single requests.")
]
Sample = Annotated[
    int | None,
    typer.Option("--sample", metavar="N", min=1, help="One request in N into that file; all by default."),
]
SeriesOut = Annotated[
    Path | None,
    typer.Option("--series-out", metavar="FILE", help="Parquet file of batch, KV, queue over time."),
]
SeriesStep = Annotated[
    float | None,
    typer.Option("--series-s", metavar="S", min=0.001, help="Time between its rows; 1 s by default."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
