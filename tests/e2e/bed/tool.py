"""The `tollgate` command line, asked for JSON."""

import json
import os

from bed.process import Failure, call


class Tool:
    def __init__(self, build, settings_path, env=None):
        self._program = os.path.join(build, "tools", "tollgate")
        self._settings = settings_path

    def json(self, *argv):
        output = call(self._program, "--settings", self._settings, "--json", *argv)
        try:
            return json.loads(output)
        except ValueError:
            raise Failure(f"tollgate {' '.join(argv)} did not print JSON: {output[:500]}") from None

    def text(self, *argv, check=True):
        return call(self._program, "--settings", self._settings, *argv, check=check)

    def argv(self, *argv):
        return [self._program, "--settings", self._settings, *argv]
