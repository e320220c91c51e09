"""The power fails: what was not on the disk yet is gone, and the machine has to come back.

On an ext4 file system in a file: slipway is killed at one of its calls, the file system is shut down
without writing its log (FS_IOC_SHUTDOWN), mounted again, and then `rollback` has to give exactly the
old tree and `resume` exactly the new one; a run that had said that it was done still is.  The control
shows that the test can fail: with every fsync left out, a run that was done is lost.
SLIPWAY_KILLS sets how often; "all" is 200 times.
"""
import fcntl
import os
import random
import signal
import struct
import unittest

import matrix
import rig
import small

SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN of linux/fs.h
NO_LOG_FLUSH = 2
RUNS = 200 if matrix.SAMPLE == "all" else max(20, int(matrix.SAMPLE) // 2)


class Power(matrix.Matrix):
    def setUp(self):
        super().setUp()
        # Of the machines one is enough: the disk is what is waited for.
        self.machine = self.machines.get()
        self.addCleanup(self.machines.put, self.machine)
        self.image = self.machine.kept / "disk"
        with open(self.image, "wb") as file:
            file.truncate(192 << 20)
        rig.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", "-O", "^resize_inode",
                 str(self.image)])
        self.machine.bring_back("old")

    def mount(self):
        rig.run(["mount", "-o", "loop,noatime,commit=300", str(self.image), str(self.machine.home)])

    def umount(self):
        rig.run(["umount", str(self.machine.home)])

    def begin(self):
        """The old tree, all of it on the disk."""
        self.machine.bring_back("old")
        self.mount()
        self.machine.clear()
        rig.run(["cp", "-a", str(self.machine.kept / "old/dev") + "/.", str(self.machine.home)])
        (self.machine.root / small.ENGINE).mkdir(exist_ok=True)
        os.chown(self.machine.root / small.ENGINE, small.USER, small.USER)
        os.sync()

    def lose(self):
        """The power fails; then the machine is started again, and what is left is kept."""
        descriptor = os.open(self.machine.home, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(descriptor)
        self.umount()
        # The disk as it was then.  Another name: where somebody's mount namespace still has the old
        # mount, the kernel would give us back the file system that was shut down.
        after = self.image.with_name("disk-after" if self.image.name == "disk" else "disk")
        rig.run(["cp", "--sparse=always", str(self.image), str(after)])
        self.image.unlink()
        self.image = after
        self.mount()
        self.machine.keep("lost")
        self.umount()

    def run_once(self, point, injection=None):
        """Returns whether the run had said that it was done."""
        self.begin()
        done = self.machine.kill(injection or point, self.argv)
        self.assertIn(done.returncode, (0, -signal.SIGKILL), done.stderr)
        self.lose()
        return done.returncode == 0

    def test_power_fails(self):
        chance = random.Random(matrix.SEED)
        finished = 0
        problems = []
        for _ in range(RUNS):
            point = chance.randrange(1, self.calls + self.calls // 10)
            is_done = self.run_once(point)
            finished += is_done
            problem = self.is_new(point) if is_done else self.recovers(self.machine, "lost", point)
            problems += [problem] if problem else []
        print(f"  {RUNS} power losses, {finished} of them behind the end, "
              f"{len(problems)} problems", flush=True)
        self.assertEqual(problems, [], "\n".join(problems[:5]))

    def is_new(self, point):
        self.machine.bring_back("lost")
        self.machine.recover("rollback", self.argv)  # an empty directory may have come back
        changes = small.differences(self.new, self.machine.tree())
        return f"{point}: said that it was done, and lost:\n" + "\n".join(changes[:9]) if changes else None

    def test_the_control_is_lost(self):
        """Without fsync nothing would hold: so the test above means something."""
        lost = 0
        for _ in range(5):
            self.assertTrue(self.run_once(None, "sync:0:0"))
            self.machine.bring_back("lost")
            lost += bool(small.differences(self.new, self.machine.tree()))
        print(f"  control: {lost} of 5 runs without fsync lost", flush=True)
        self.assertEqual(lost, 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
