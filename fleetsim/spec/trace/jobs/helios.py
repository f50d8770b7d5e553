"""SenseTime Helios (S-Lab-System-Group/HeliosData, cluster_log.csv): April to September 2020.

    job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue
    1425512,uVMrF,vchbv,4,16,1,FAILED,2020-06-09 18:41:27,2020-06-09 18:41:27,2020-06-09 18:45:36,249,0

Times have no zone.
"""

from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout

HELIOS = JobFormat(
    JobLayout(name="helios", job="job_id", submit="submit_time", gpus="gpu_num", start="start_time",
              end="end_time", duration="duration", user="user", team="vc", state="state",
              nodes="node_num"),
    "SenseTime Helios 2020: half a year of clusters under Slurm",
)
