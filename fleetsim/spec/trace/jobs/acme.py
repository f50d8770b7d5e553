"""Shanghai AI Lab Acme (InternLM/AcmeTrace, trace_seren.csv and trace_kalos.csv): March to August 2023.

    job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time
    5778432,u5907,1,8,128,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,...,117,32,936.0

Times have their zone, +08:00 in Seren and +00:00 in Kalos. In Kalos the column `duration` is end -
submission: the run time is taken from start and end in both.
"""

from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout

ACME = JobFormat(
    JobLayout(name="acme", job="job_id", submit="submit_time", gpus="gpu_num", start="start_time",
              end="end_time", duration="duration", user="user", state="state", nodes="node_num",
              also=("type",)),
    "Shanghai AI Lab Acme 2023: half a year of two clusters for language models",
)
