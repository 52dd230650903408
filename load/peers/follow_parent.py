"""`follow_parent.py SERVER.py`: runs a server that ends, with all processes that it started, when the process that started it does: that one holds the other end of its standard input."""
import os
import runpy
import signal
import sys
import threading
import time

GRACE_S = 5  # for the server to end its processes itself, those of other groups too


def follow_parent():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == '__main__':
    threading.Thread(target=follow_parent, daemon=True).start()
    sys.argv = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name='__main__')
