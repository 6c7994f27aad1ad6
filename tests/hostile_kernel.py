"""What a notebook's kernel is put through: no network, and every shape comment of a cell checked while it runs.

Called by the kernel's own start-up file; writes what it saw to a file, after every cell.
"""

import json
import os
import socket
import sys
from functools import cache
from pathlib import Path

from IPython import get_ipython
from shape_comments import ShapeTracer, shape_comments

from frozen_notebooks import python_only


def install(folder: str, report: str) -> None:
    """Go to the folder, close the network, watch the cells, and report as JSON."""
    refused: list[str] = []
    tracer = ShapeTracer(cache(lambda name: "ipykernel" in name or "ipython-input" in name))
    commented_functions = False
    shell = get_ipython()

    def watch(info) -> None:
        """Trace where a comment can be met, in this cell or in functions of earlier ones: it costs a tenth."""
        nonlocal commented_functions
        commented = bool(shape_comments(python_only(info.raw_cell)))
        commented_functions |= commented and "def " in info.raw_cell
        sys.settrace(tracer.trace if commented or commented_functions else None)

    def write_report(*_) -> None:
        seen = {"refused": refused, "wrong": tracer.wrong, "checked": len(tracer.checked)}
        Path(report).write_text(json.dumps(seen))

    os.chdir(folder)
    _close_network(refused)
    shell.events.register("pre_run_cell", watch)
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
