"""Start parts of an instance in a data directory, say so, and stop them.

python -m tests.host.parts_of_instance DIR redis mailbox
"""

import sys
from pathlib import Path

from host.data_dir import lock_data_directory, print_message
from host.errors import StartupError
from host.options import InstanceOptions
from host.plan import STOP_ORDER, InstancePlan
from host.supervisor import SignalWaiter, Supervisor
from tests.support.damage import drop_privileges
from tests.support.servers import HOST


def main() -> int:
    drop_privileges()
    data_dir, names = Path(sys.argv[1]), sys.argv[2:]
    options = InstanceOptions(
        data_dir=data_dir,
        host=HOST,
        port=8000,
        public_url="http://127.0.0.1:8000",
        web_processes=1,
        configured=frozenset(),
    )
    with lock_data_directory(data_dir) as home, SignalWaiter() as waiter:
        plan = InstancePlan(options, home, port=8000)
        home.store_secrets(plan.secrets)
        builders = {
            "redis": plan.redis_part,
            "mailbox": plan.mailbox_part,
            "simulator": plan.simulator_part,
        }
        supervisor = Supervisor(waiter, print_message)
        try:
            supervisor.start([builders[name]() for name in names])
        except StartupError as error:
            print_message(str(error))
            return 1
        finally:
            supervisor.stop(STOP_ORDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
