"""Facts files of tests/data/facts, put together as tests/checks_fixture.h does.

SPDX-License-Identifier: Apache-2.0
"""
import json

from files import TOP

FACTS = TOP / "tests/data/facts"


def merge(base, changes):
    """Objects member by member, lists of objects element by element: by the first member."""
    for key, value in changes.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merge(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            for element in value:
                first = next(iter(element))
                same = [one for one in old if one.get(first) == element[first]]
                if same:
                    merge(same[0], element)
                else:
                    old.append(element)
        else:
            base[key] = value
    return base


def machine(name, **changes):
    """The facts of a machine, with `changes` put over them."""
    facts = json.loads((FACTS / f"{name}.json").read_text(encoding="utf-8"))
    whole = merge(machine(facts["base"]), facts) if "base" in facts else facts
    return merge(whole, changes)


def names():
    return sorted(path.stem for path in FACTS.glob("*.json"))
