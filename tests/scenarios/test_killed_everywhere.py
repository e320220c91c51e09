"""SIGKILL at every call that changes something, of an installation with all kinds of steps.

From the state that a kill leaves, `rollback` has to give exactly the old tree, and `resume` exactly the
new one.  SLIPWAY_KILLS sets how many points are tried: a number, or "all".
"""
import random
import signal
import unittest

import matrix
import small


class Installation(matrix.Matrix):
    """On a machine without the stack."""

    def killed(self, machine, point):
        done = machine.kill(point, self.argv)
        if done.returncode != -signal.SIGKILL:
            # No two runs make quite the same calls: a point behind the end kills nobody.
            changes = small.differences(self.new, machine.tree())
            return (f"{point}: {done.returncode}: {done.stderr[-300:]}\n" + "\n".join(changes[:9])
                    if done.returncode != 0 or changes else None)
        machine.keep("killed")
        return self.recovers(machine, "killed", point)

    def test_killed_at_every_call(self):
        self.each([*matrix.sample(range(1, self.calls + 1)), "end"], self.killed)

    def killed_twice(self, machine, points):
        first, second, verb = points
        machine.kill(first, self.argv)
        done = machine.kill(second, ["/usr/local/bin/slipway", verb])
        if done.returncode not in (0, -signal.SIGKILL):
            return f"{points}: {done.returncode}: {done.stderr[-600:]}"
        machine.keep("killed")
        # What was being taken back is not gone on with.
        is_going_back = verb == "rollback" and machine.journals()
        return self.recovers(machine, "killed", points,
                             ("rollback",) if is_going_back else ("rollback", "resume"))

    def test_killed_twice(self):
        """In the installation, and then in its recovery."""
        chance = random.Random(matrix.SEED)
        points = [(chance.randrange(1, self.calls), chance.randrange(1, 200),
                   chance.choice(("rollback", "resume"))) for _ in range(1000)]
        self.each(matrix.sample(points), self.killed_twice)


class Upgrade(Installation):
    """On a machine with an older version of the stack, which has to come back."""
    first = small.install_line("1.0.0")
    argv = small.install_line("2.0.0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
