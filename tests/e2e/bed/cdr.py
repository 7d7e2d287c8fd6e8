"""CDR rows (contract/cdr.def), read from the files that the gateway writes: JSON lines, also the file that is
being written. A line that is not whole yet is left for the next look."""

import glob
import json
import os

from bed.process import Failure


class Rows:
    def __init__(self, rows):
        self.rows = rows

    def of_type(self, kind):
        return [row for row in self.rows if row["type"] == kind]

    def sessions(self):
        return self.of_type("session")

    def legs(self):
        return sorted(self.of_type("leg"), key=lambda row: (row["session"], row["leg"]))

    def stints(self):
        return sorted(self.of_type("stint"), key=lambda row: (row["session"], row["stint"]))

    def only_session(self):
        found = self.sessions()
        if len(found) != 1:
            raise Failure(f"{len(found)} session rows, not one")
        return found[0]

    def most_at_a_time(self):
        """The most sessions that were open at one moment, by their setup and end."""
        moments = sorted([(row["setup_time"], 1) for row in self.sessions()]
                         + [(row["end_time"], -1) for row in self.sessions()])
        now = most = 0
        for _, step in moments:
            now += step
            most = max(most, now)
        return most

    def check_numbers(self):
        """`record` counts from 1 without gaps over all files."""
        numbers = [row["record"] for row in self.rows]
        if numbers != list(range(1, len(numbers) + 1)):
            raise Failure(f"record numbers are not 1 to {len(numbers)}: {numbers[:20]}")


def files(directory):
    return sorted(glob.glob(os.path.join(directory, "*.jsonl")))


def read(directory):
    rows = []
    for path in files(directory):
        try:
            rows += _read_file(path)
        except FileNotFoundError:  # closed, and so renamed, meanwhile
            return read(directory)
    rows.sort(key=lambda row: row["record"])
    return Rows(rows)


def _read_file(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            try:
                rows.append(json.loads(line))
            except ValueError:
                raise Failure(f"{path}: not JSON: {line[:200]}") from None
    return rows


def summary_stint(row):
    """A stint as the demonstration's summary has it."""
    counts = ("to_caller_packets", "from_caller_packets", "to_callee_packets", "from_callee_packets",
              "played_packets")
    return {"module": row["module"], "account": row["account"], "start": row["start_time"], "end": row["end_time"],
            "seconds": row["duration_ms"] / 1000, **{name: row[name] or 0 for name in counts}}
