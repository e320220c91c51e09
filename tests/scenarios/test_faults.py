"""The disk is full at any write, and fails at any fsync: the old tree or the new one, never a mixture.

One call fails (ENOSPC, EIO), and then the machine is looked at: the run has failed and taken all of it
back, or it has left a journal from which `rollback` gives exactly the old tree and `resume` the new one.
And whole disks that are full from a certain byte on.  SLIPWAY_KILLS sets how many points are tried.
"""
import errno
import unittest

import matrix
import rig
import small

# Statuses: done; failed; incomplete; cannot create; input or output; the tests of the stack; a program
# that could not be started.
ALLOWED = (0, 1, 2, 3, 69, 73, 74)


class Faults(matrix.Matrix):
    def failed(self, machine, point):
        done = machine.kill(point, self.argv)
        return self.judge(machine, point, done)

    def judge(self, machine, point, done):
        """Old, new, or a journal that leads to either."""
        if done.returncode not in ALLOWED:
            return f"{point}: {done.returncode}: {done.stderr[-600:]}"
        if machine.journals():
            if done.returncode == 0:
                return f"{point}: said that it was done, and left a journal"
            machine.keep("failed")
            verbs = ("rollback",) if done.returncode == 2 else ("rollback", "resume")
            return self.recovers(machine, "failed", point, verbs)
        return self.is_whole(machine, point, done)

    def is_whole(self, machine, point, done):
        """New, if it said that it was done; else old, or new where only its end went wrong."""
        if done.returncode != 0:
            machine.run(["/usr/local/bin/slipway", "rollback"])
        tree = machine.tree()
        changes = small.differences(self.new if done.returncode == 0 else self.old, tree)
        if changes and (done.returncode == 0 or "is done, but" not in done.stderr
                        or small.differences(self.new, tree)):
            return (f"{point}: {done.returncode}: {done.stderr[-300:]}\n"
                    + "\n".join(line[:200] for line in changes[:9]))
        return None

    def test_no_room_at_every_call(self):
        self.each([f"room:{i}:{errno.ENOSPC}" for i in matrix.sample(range(1, self.rooms + 1), 0.7)],
                  self.failed)

    def test_every_sync_fails(self):
        self.each([f"sync:{i}:{errno.EIO}" for i in matrix.sample(range(1, self.syncs + 1), 0.7)],
                  self.failed)

    def full(self, machine, blocks):
        """The home is a disk of its own that has that much room left."""
        home = str(machine.home)
        rig.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "home", home])
        try:
            rig.run(["cp", "-a", str(machine.kept / "old/dev") + "/.", home])
            rig.run(["chown", f"{small.USER}:{small.USER}", home])
            used = int(rig.run(["stat", "-f", "-c", "%b %f", home]).split()[0]) - int(
                rig.run(["stat", "-f", "-c", "%b %f", home]).split()[1])
            rig.run(["mount", "-o", f"remount,size={(used + blocks) * 4}k", home])
            done = machine.run([*self.argv, "--ignore", "disk.*"])
            if done.returncode not in (*ALLOWED, 77, 65):
                return f"{blocks} blocks: {done.returncode}: {done.stderr[-600:]}"
            if machine.journals():
                # Who frees some room comes back.
                rig.run(["mount", "-o", "remount,size=32m", home])
                back = machine.run(["/usr/local/bin/slipway", "rollback"])
                if back.returncode != 0:
                    return f"{blocks} blocks, rollback: {back.returncode}: {back.stderr[-600:]}"
            return self.is_whole(machine, f"{blocks} blocks", done)
        finally:
            rig.run(["umount", "-l", home])

    def test_disks_that_are_full(self):
        """From no room at all to all that is needed, 4 KiB at a time."""
        self.each(matrix.sample([*range(0, 64), *range(64, 1400, 12)], 0.5), self.full)


class UpgradeFaults(Faults):
    first = small.install_line("1.0.0")
    argv = small.install_line("2.0.0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
