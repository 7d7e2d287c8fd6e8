#!/usr/bin/python3
"""Proves the models of the protocol between the planes, and that they can fail.

    check.py [MODEL...]   searches each model exhaustively for an error, of which there must be none, and with
                          each of its mutations, where there must be one.
    check.py --list       names models and mutations.

Needs spin and gcc; ends with 77 where they are missing. A search may take 60 s and 2 GB."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 240
MEGABYTES = 2000
DEPTH = 200000

# A mutation takes one rule out of the protocol; the sentence says which.
MODELS = {
    "ring": {
        "no_producer_repair": "a producer goes on from where its predecessor's head was",
        "no_consumer_repair": "a consumer goes on from where its predecessor's head was",
        "tail_before_records": "records are made visible before they are written",
        "bulk_one_by_one": "the records of a bulk are made visible one after the other",
        "room_by_head": "room is what the consumer has begun to take",
    },
    "meter": {
        "close_not_finished": "a start does not finish a close whose record is in the ring",
        "closed_not_in_record": "a start does not learn from the last record what was closed up to it",
        "part_before_stint": "a close that opens another stint resets the part's number first",
        "start_after_name": "a close gives the next part its name before its start",
        "taken_by_batch": "commands leave the ring together, after all were carried out",
        "no_dedupe": "a record that the journal holds is journalled again",
        "taken_before_durable": "a record leaves the ring before it is durable",
    },
    "relay": {
        "fold_without_note": "a fold adds and then clears, and leaves no note of what it is about",
        "detach_before_fold": "the feeder forgets its sink before the fold",
    },
    "burst": {
        "noted_after_sending": "a burst is noted when the port has it",
        "cleared_before_counting": "the note of a burst is cleared before it is counted",
        "never_cleared": "the note of a burst stays when it was counted",
        "not_told": "a start clears the note and tells no leg",
    },
    "play": {
        "id_before_source": "a play's id is written before its source",
        "silence_before_done": "a play that is over stops being the source before its end is written down",
        "play_again": "a play that is asked for again begins again",
        "taken_by_batch": "commands leave the ring together, after all were carried out",
    },
    "chain": {
        "pushed_one_by_one": "a chain is pushed by its commands",
        "room_for_one": "a chain begins when the meter ring has room for one record",
        "generation_ignored": "a command is carried out for whatever leg is in the row",
        "taken_by_batch": "commands leave the ring together, after all were carried out",
    },
    "rows": {
        "reuse_before_durable": "a row is free when its final record is appended",
        "desired_cleared_at_release": "the desired row is cleared when the release is sent",
        "refused_is_free": "a release that was refused frees the row at once",
        "any_refusal_ends_release": "any refusal of a row that is being released counts as its release's",
        "pushed_before_desired": "a leg is programmed before its desired row says so",
    },
    "news": {
        "count_before_digit": "a digit is counted before it is written",
        "queue_unbounded": "a digit is queued over one that was not taken",
        "missed_not_counted": "news that finds the ring full is not counted",
        "resume_without_news": "a start does not make the control plane look",
        "taken_before_handled": "a digit is taken before it is handled",
        "file_without_count": "a session's file does not say how many digits are in it",
    },
}
_ERRORS = re.compile(r"errors: (\d+)")
_STATES = re.compile(r"(\d+) states, stored")
_UNREACHED = re.compile(r'\.pml:(\d+), state \d+, (?!"-end-")')
# A search that did not go to its end proves nothing.
_INCOMPLETE = ("search depth too small", "out of memory", "memory limit", "Search not completed")


def run(folder, *argv):
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=SECONDS, check=False)
    return done.returncode, done.stdout


def search(model, mutation=None):
    """Searches the model. Returns (errors, states, lines that no state has reached, what was said)."""
    define = [f"-DMUTATION_{mutation}"] if mutation else []
    with tempfile.TemporaryDirectory(prefix="tollgate-model-") as folder:
        for argv in (["spin", "-a", *define, os.path.join(HERE, model + ".pml")],
                     ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEGABYTES}", "-o", "pan", "pan.c"]):
            status, said = run(folder, *argv)
            if status:
                return None, 0, [], said
        _, said = run(folder, "./pan", f"-m{DEPTH}")
    errors, states = _ERRORS.search(said), _STATES.search(said)
    if not errors or (errors.group(1) == "0" and any(text in said for text in _INCOMPLETE)):
        return None, 0, [], said
    return int(errors.group(1)), int(states.group(1)), _UNREACHED.findall(said), said


def prove(model):
    """Returns True when nothing is wrong and every step of the model was taken by some run of it."""
    errors, states, unreached, said = search(model)
    good = errors == 0 and not unreached
    print(f"{'ok' if good else 'FAILED':7}{model}: {states} states", flush=True)
    if not good:
        print(f"lines that were never reached: {unreached}" if errors == 0 else said)
    return good


def refute(model, mutation, sentence):
    """Returns True when the mutation is found out."""
    errors, states, _, said = search(model, mutation)
    good = bool(errors)
    print(f"{'ok' if good else 'FAILED':7}{model} when {sentence}: "
          f"{'found out after' if good else 'not found out in'} {states} states", flush=True)
    if errors is None:
        print(said)
    return good


def check(model):
    with open(os.path.join(HERE, model + ".pml"), encoding="utf-8") as f:
        there = set(re.findall(r"\bMUTATION_(\w+)", f.read()))
    if there != set(MODELS[model]):
        print(f"FAILED {model}: its mutations are {sorted(there)}, listed are {sorted(MODELS[model])}")
        return False
    results = [prove(model)]
    results += [refute(model, mutation, sentence) for mutation, sentence in MODELS[model].items()]
    return all(results)


def main(names):
    if names == ["--list"]:
        for model, mutations in MODELS.items():
            print(model)
            for mutation, sentence in mutations.items():
                print(f"    {mutation}: {sentence}")
        return 0
    if set(names) - set(MODELS):
        print(__doc__)
        return 2
    if not shutil.which("spin") or not shutil.which("gcc"):
        print("spin or gcc is missing: ./run packages")
        return 77
    return 0 if all([check(model) for model in names or MODELS]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
