"""A job handed from one process to another by Celery: `celery_job.py FOLDER` puts it into a queue of files and starts its worker."""

import os
import subprocess
import sys

import observatory

observatory.init()

import celery
import openai
from celery.signals import task_postrun

folder = sys.argv[1]
app = celery.Celery("jobs", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": f"{folder}/control"}


@app.task(name="summarize")
def summarize(text: str) -> None:
    openai.OpenAI().chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": text}])


if "worker" in sys.argv:
    worker = app.Worker(pool="solo", loglevel="WARNING", without_gossip=True, without_mingle=True, without_heartbeat=True)
    task_postrun.connect(lambda **_: worker.stop(), weak=False)
    worker.start()
else:
    with observatory.session("visit-1"), observatory.user("ada"), observatory.span("hand over"):
        summarize.delay("by a job")
    env = {**os.environ, "OTEL_SERVICE_NAME": "celery-worker"}
    subprocess.run([sys.executable, __file__, folder, "worker"], check=True, env=env, timeout=120)
