"""Options of `replay` that describe a training fleet and what runs on it."""

from typing import Annotated

import typer

from fleetsim.experiments.replay_jobs import MOST_GPUS, Schedule

FleetGpus = Annotated[
    int | None,
    typer.Option("--gpus", metavar="N", min=1, max=MOST_GPUS, help="Jobs: GPUs of the fleet."),
]
ScheduleName = Annotated[Schedule, typer.Option("--schedule", help="Jobs: who gets free GPUs.")]
NodeGpus = Annotated[int, typer.Option("--node-gpus", metavar="N", min=1, help="Jobs: GPUs of a node.")]
NodeMtbf = Annotated[
    float | None,
    typer.Option("--node-mtbf-h", metavar="H", help="Jobs: mean time between failures of a node."),
]
Repair = Annotated[float, typer.Option("--repair-h", metavar="H", help="Jobs: mean time to repair a node.")]
SpareGpus = Annotated[
    int, typer.Option("--spare-gpus", metavar="N", min=0, help="Jobs: kept free for failed ones.")
]
CheckpointInterval = Annotated[
    float | None,
    typer.Option("--checkpoint-interval-s", metavar="S", help="Jobs: work between checkpoints."),
]
CheckpointWrite = Annotated[
    float, typer.Option("--checkpoint-write-s", metavar="S", help="Jobs: a job stands still for each.")
]
Restart = Annotated[
    float, typer.Option("--restart-s", metavar="S", help="Jobs: after a failure or a preemption.")
]
LongestDays = Annotated[
    float, typer.Option("--longest-days", metavar="D", help="Jobs: end so long after the last submission.")
]
