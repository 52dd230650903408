"""`follow_parent.py SERVER.py`: runs a server that ends, with all processes that it started, when the process that started it does: that one holds the other end of its standard input."""
import contextlib
import os
import runpy
import signal
import sys
import time

GRACE_S = 5  # for the server to end its processes itself, those of other groups too


def follow_parent(server):
    """In a process of its own: the server may be gone before what it started is."""
    while os.read(0, 4096):
        pass
    with contextlib.suppress(ProcessLookupError):
        os.kill(server, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == '__main__':
    server = os.getpid()
    if os.fork() == 0:
        follow_parent(server)
    sys.argv = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name='__main__')
