"""What the scenarios with many runs have in common: two machines at once, samples, a count at the end."""
import concurrent.futures
import os
import pathlib
import queue
import random
import tempfile
import time
import unittest

import rig
import small

# How many points of each kind; "all": each one there is.
SAMPLE = os.environ.get("SLIPWAY_KILLS", "40")
SEED = int(os.environ.get("SLIPWAY_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


def sample(points, share=1.0):
    """That share of the wished number of points, spread evenly."""
    points = list(points)
    if SAMPLE == "all":
        return points
    count = max(2, min(len(points), round(int(SAMPLE) * share)))
    return [points[i * (len(points) - 1) // (count - 1)] for i in range(count)]


class Matrix(unittest.TestCase):
    """Each test sets up `old` and `new`, then asks of every point what becomes of the machine."""
    maxDiff = None
    first = None        # what is installed before
    argv = small.install_line("1.0.0")

    @classmethod
    def setUpClass(cls):
        small.install_rig()
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-matrix-"))
        cls.addClassCleanup(rig.run, ["rm", "-rf", str(cls.place)])
        small.make_layer(cls.place)
        cls.machines = queue.SimpleQueue()
        cls.workers = os.cpu_count() or 1
        for _ in range(cls.workers):
            machine = small.Small(cls.place)
            cls.addClassCleanup(machine.close)
            cls.prepare(machine)
            cls.machines.put(machine)
        print(f"\n  {cls.__name__}: {cls.calls} calls change something, {cls.rooms} need room, "
              f"{cls.syncs} synchronize; seed {SEED}", flush=True)

    @classmethod
    def prepare(cls, machine):
        """The trees before and after, as nobody disturbs them."""
        if cls.first:
            done = machine.run(cls.first)
            assert done.returncode == 0, done.stderr
        machine.keep("old")
        cls.old = machine.tree()
        cls.calls, cls.rooms, cls.syncs = machine.counts(cls.argv)
        cls.new = machine.tree()

    def each(self, points, check):
        """check(machine, point) returns what went wrong, or None; the points are counted."""
        def one(point):
            machine = self.machines.get()
            try:
                machine.bring_back("old")
                problem = check(machine, point)
                if problem:
                    print(problem, flush=True)
                return problem
            finally:
                self.machines.put(machine)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            problems = [problem for problem in pool.map(one, points) if problem]
        print(f"  {self.id().split('.')[-1]}: {len(points)} points, "
              f"{time.monotonic() - start:.0f} s, {len(problems)} problems", flush=True)
        self.assertEqual(problems, [], "\n".join(problems[:10]))

    def recovers(self, machine, state, point, verbs=("rollback", "resume")):
        """From the state that was kept: back to the old tree, and on to the new one.  A run that has
        ended (its journal is gone) is not taken back any more."""
        has_ended = not machine.journals()
        for verb in verbs:
            machine.bring_back(state)
            done = machine.recover(verb, self.argv)
            tree = machine.tree()
            changes = small.differences(self.old if verb == "rollback" else self.new, tree)
            if has_ended and changes and verb == "rollback":
                changes = small.differences(self.new, tree)
            if done.returncode != 0 or changes:
                return f"{point}, {verb}: {done.returncode}: {done.stderr[-600:]}\n" + "\n".join(
                    line[:200] for line in changes[:10])
        return None
