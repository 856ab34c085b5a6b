"""Runs the tasks that state machines start as processes, and ends states whose timeout is in their input.

MiniStack without Docker only records tasks. `up` writes a script for each image, named as the image's tag, that starts its entry point.
MiniStack also ignores TimeoutSecondsPath.
"""

import os
import subprocess
import threading
from pathlib import Path

from ministack.core.lambda_runtime import execution_credentials
from ministack.core.responses import request_scope
from ministack.services import ecs, stepfunctions

execute_state = stepfunctions._execute_task
record_task = stepfunctions._SERVICE_DISPATCH["arn:aws:states:::ecs:runTask"]


def run_task(resource, parameters):
    """Start the container of a task with its command, its environment, and the credentials of its role."""
    answer = record_task(resource, parameters)
    overrides = {}
    for container in parameters.get("Overrides", {}).get("ContainerOverrides", []):
        overrides |= {variable["Name"]: variable["Value"] for variable in container.get("Environment", [])}
    for started in answer["tasks"]:
        task = ecs._tasks[started["taskArn"]]
        definition = ecs._task_defs[started["taskDefinitionArn"].rsplit("/", 1)[-1]]
        (container,) = definition["containerDefinitions"]
        region, account, _ = task["taskArn"].split(":", 5)[3:]
        identity = f"arn:aws:lambda:{region}:{account}:function:{task['taskArn'].rsplit('/', 1)[-1]}"
        role = {"Role": definition["taskRoleArn"], "FunctionArn": identity, "FunctionName": "task"}
        environment = {variable["name"]: variable["value"] for variable in container["environment"]} | overrides
        process = subprocess.Popen(
            [Path(os.environ["TASK_IMAGES"], container["image"].rsplit(":", 1)[-1]), *container.get("command", [])],
            env=os.environ | environment | execution_credentials(role),
        )
        threading.Thread(target=wait, args=(process, task, overrides.get("TASK_TOKEN")), daemon=True).start()
    return answer


def wait(process, task, token):
    """Record how the task ended. If it gave no answer, the state that waits for it times out at once instead of after its heartbeat."""
    code = process.wait()
    region, account, _ = task["taskArn"].split(":", 5)[3:]
    with request_scope(account, region):
        ecs._mark_task_stopped(task["taskArn"], task, "Essential container in task exited", "EssentialContainerExited", exit_code=code)
        waiting = stepfunctions._task_tokens.get(token)
        if waiting and not waiting["event"].is_set():
            waiting["error"] = {"Error": "States.HeartbeatTimeout", "Cause": f"the task ended with exit code {code}"}
            waiting["event"].set()


stepfunctions._SERVICE_DISPATCH["arn:aws:states:::ecs:runTask"] = run_task


def execute_with_timeout(state, data, execution, context):
    if "TimeoutSecondsPath" in state:
        state = state | {"TimeoutSeconds": stepfunctions._resolve_path(state["TimeoutSecondsPath"], data)}
    return execute_state(state, data, execution, context)


stepfunctions._execute_task = execute_with_timeout
