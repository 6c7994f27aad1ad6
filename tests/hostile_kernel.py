"""What a notebook's kernel is put through: no network, and every shape comment of a cell checked while it runs.

Loaded by the kernel's own start-up file; writes what it saw to the file that REPORT names, after every cell.
"""

import json
import os
import socket
import sys
from pathlib import Path

from IPython import get_ipython
from shape_comments import ShapeTracer

REPORT = "HOSTILE_KERNEL_REPORT"


def install() -> None:
    refused: list[str] = []
    tracer = ShapeTracer(lambda name: "ipykernel" in name or "ipython-input" in name)
    shell = get_ipython()

    def write_report(*_):
        seen = {"refused": refused, "wrong": tracer.wrong, "checked": len(tracer.checked)}
        Path(os.environ[REPORT]).write_text(json.dumps(seen))

    _close_network(refused)
    shell.events.register("pre_run_cell", lambda _: sys.settrace(tracer.trace))
    shell.events.register("post_run_cell", write_report)


def _close_network(refused: list[str]) -> None:
    """Refuse, and note, every connection and every look-up of a name that leaves this machine."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def is_here(host) -> bool:
        return host in (None, "", "localhost", "127.0.0.1", "::1", b"localhost")

    def guarded_connect(self, address):
        if self.family != getattr(socket, "AF_UNIX", None) and not is_here(address[0]):
            refused.append(str(address))
            raise OSError("the network is off")
        return connect(self, address)

    def guarded_look_up(host, *arguments, **options):
        if not is_here(host):
            refused.append(str(host))
            raise socket.gaierror("the network is off")
        return look_up(host, *arguments, **options)

    socket.socket.connect, socket.getaddrinfo = guarded_connect, guarded_look_up
