"""twin.py - what the load of the machine does to every process meanwhile, so that a time can be judged on a busy machine too.

    twin = Twin()
    before = twin.seconds()
    ...
    late = twin.seconds() - before      # so much of it is the load's
"""
import mmap
import os
import struct
import time


class Twin:
    """A process that sleeps 10 ms at a time, and how late it woke in all."""
    STEP = 0.01     # seconds

    def __init__(self):
        self.late, parent = mmap.mmap(-1, 8), os.getpid()
        if not os.fork():
            self.sleep(parent)

    def sleep(self, parent):
        late = 0.0
        while os.getppid() == parent:
            start = time.monotonic()
            time.sleep(self.STEP)
            late += time.monotonic() - start - self.STEP
            self.late[:8] = struct.pack("d", late)
        os._exit(0)

    def seconds(self):
        return struct.unpack("d", self.late[:8])[0]
