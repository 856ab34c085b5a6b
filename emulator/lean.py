"""The emulator's application, in which idle functions end and tasks run.

MiniStack keeps the first process of each function for good. Here each is a JVM of 150 MB, and a landscape has about twenty.
"""

import time

import tasks  # noqa: F401  (it replaces how MiniStack runs tasks)
from ministack.app import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

__all__ = ["app"]


def reap_idle_workers():
    """End the functions that nobody has called for LAMBDA_WARM_TTL_SECONDS. MiniStack calls this every 30 seconds."""
    idle_since = time.time() - lambda_runtime._LOCAL_WORKER_TTL
    ended = []
    with lambda_runtime._lock:
        for key, workers in list(lambda_runtime._workers.items()):
            kept = [worker for worker in workers if worker.in_use or worker.last_used > idle_since]
            ended += [worker for worker in workers if worker not in kept]
            lambda_runtime._workers[key] = kept
            if not kept:
                del lambda_runtime._workers[key]
    lambda_runtime.kill_workers(ended)


lambda_svc.reap_idle_workers = reap_idle_workers
