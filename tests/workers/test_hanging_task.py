"""A thread that does not come back ends its process, which begins anew."""

import subprocess
import sys

import pytest

from tests.support.servers import TIMEOUT_S

# Celery's own signals around a task, as its pool of threads sends them.
TASK = """
import sys, time
from celery.signals import task_postrun, task_prerun
from workers.worker import end_when_task_hangs

class Task:
    name = "drain.inbox"

end_when_task_hangs(limit_s=2)
task = Task()
for number in range(3):
    task_prerun.send(sender=task, task_id=str(number), task=task)
    time.sleep(0.9)
    task_postrun.send(sender=task, task_id=str(number), task=task)
print("on time", flush=True)
task_prerun.send(sender=task, task_id="late", task=task)
time.sleep(60)
print("came back", flush=True)
"""


@pytest.mark.processes
def test_a_task_that_hangs_ends_its_process_and_none_in_time_does() -> None:
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", TASK],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert ended.returncode == 1
    assert "task hangs" in ended.stdout
    assert "drain.inbox" in ended.stdout
    assert "on time" in ended.stdout
    assert "came back" not in ended.stdout
