"""Alibaba GPU sharing 2023 (alibaba/clusterdata, cluster-trace-gpu-v2023, openb_pod_list_*.csv).

    name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
    openb-pod-0022,4000,15258,1,220,,BE,Running,9679175,9973826,9679175

Seconds from an unknown day. `gpu_milli` are thousandths of one GPU that pods share. There is no user; the
quality of service stands for the team, and says how important a pod is.
"""

from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout

PRIORITIES = {"LS": 0, "Guaranteed": 0, "Burstable": 1, "BE": 2}
"""Latency-sensitive and guaranteed pods before those that may burst, best effort last."""

ALIBABA_2023 = JobFormat(
    JobLayout(name="alibaba-2023-jobs", job="name", submit="creation_time", gpus="num_gpu",
              gpu_milli="gpu_milli", start="scheduled_time", end="deletion_time", team="qos",
              state="pod_phase", states={"succeeded": "completed"}, priority="qos", priorities=PRIORITIES,
              unit="s"),
    "Alibaba 2023: pods of a cluster that shares GPUs",
)
