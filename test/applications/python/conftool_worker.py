"""Changes a node's weight with conftool, and reads it again.

    conftool_worker.py CONFIGURATION

Prints "weight N" for each weight that was read again. SIGTERM ends it.
"""

import signal
import sys

from conftool import configuration
from conftool.drivers import BackendError
from conftool.node import Node

told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(True))
Node.setup(configuration.get(sys.argv[1]))

weight = 0
while not told:
    weight += 1
    node = Node("dc1", "cluster1", "web", "web1")
    try:
        node.update({"weight": weight, "pooled": "no"})
    except BackendError:
        # python-etcd repeats a write whose response is lost. The repetition fails, because the write was applied.
        pass
    read = Node("dc1", "cluster1", "web", "web1")
    if read.weight != weight:
        sys.exit(f"wrote {weight} and read {read.weight}")
    print("weight", weight, flush=True)
