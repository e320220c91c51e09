#!/usr/bin/env python3
"""Fails when the modules of a folder include one another in a circle.

A module is NAME.c with NAME.h, its _linux and _macos twins and its _private.h.  Usage: lint_cycles.py FOLDER...
"""
import pathlib
import re
import sys


def module(path):
    return re.sub(r"_(linux|macos|private)$", "", path.with_suffix("").name)


def edges(folder):
    graph = {}
    for path in sorted(pathlib.Path(folder).glob("*.[ch]")):
        here = graph.setdefault(module(path), set())
        for name in re.findall(r'^#include "%s/([^"]+)\.h"' % folder, path.read_text(), re.M):
            if name != module(path):
                here.add(name)
    return graph


def find_cycle(graph):
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for other in sorted(graph.get(node, ())):
            cycle = visit(other)
            if cycle:
                return cycle
        path.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def main():
    failed = False
    for folder in sys.argv[1:]:
        cycle = find_cycle(edges(folder))
        if cycle:
            print(f"{folder}/: modules include one another: {' -> '.join(cycle)}")
            failed = True
    return failed


sys.exit(main())
