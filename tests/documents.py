#!/usr/bin/python3
"""The documents against what is there: every command, file, setting, event and link that they name must exist.

    documents.py --build build

What the commands do is tested elsewhere (the end-to-end cases run ./run demo and ./run up); this finds names that
have gone or never were."""

import argparse
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("base", "cache", "contract", "controlplane", "dataplane", "docs", "examples", "packaging", "settings", "tests",
           "tools")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def run_commands():
    return set(re.findall(r'^\t"(\w+) ', read("run"), re.M))


def tool_commands(build):
    output = subprocess.run([os.path.join(build, "tools", "tollgate"), "--json", "help"], capture_output=True, text=True,
                            check=True).stdout
    return set(re.findall(r'"name": "([^"]+)"', output))


def events():
    found = set()
    for folder in FOLDERS:
        for path in glob.glob(os.path.join(ROOT, folder, "**", "*.c"), recursive=True):
            with open(path, encoding="utf-8") as file:
                found |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', file.read()))
    return found


def faults_of(path, commands, tools, known_events):
    text = read(path)
    for name in re.findall(r"\./run (\w+)", text):
        if name not in commands:
            yield f"{path}: there is no ./run {name}"
    for words in re.findall(r"(?:^|`)(?:build/tools/)?tollgate ((?:[a-z][a-z-]*)(?: [a-z]+)?)", text, re.M):
        if words not in tools and words.split()[0] not in tools:
            yield f"{path}: there is no command tollgate {words}"
    for name in re.findall(r"`((?:" + "|".join(FOLDERS) + r")/[\w./*-]*)`", text):
        if not glob.glob(os.path.join(ROOT, name)):
            yield f"{path}: there is no {name}"
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        if not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
            yield f"{path}: its link to {target} leads nowhere"
    for name in re.findall(r"event=([a-z0-9-]+)", text):
        if name not in known_events:
            yield f"{path}: no program logs event={name}"


def main():
    parser = argparse.ArgumentParser(description="Checks what the documents name.")
    parser.add_argument("--build", default="build")
    options = parser.parse_args()
    documents = ["README.md"] + sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "docs", "*.md")))
    known = run_commands(), tool_commands(options.build), events()
    if not all(known):
        sys.exit("documents.py finds no commands or events: its own patterns are out of date")
    faults = [fault for path in documents for fault in faults_of(path, *known)]
    print("\n".join(faults) or f"{len(documents)} documents name nothing that isn't there")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
