"""Sounds as a content author delivers them: speech by espeak-ng, made 44.1 kHz by sox."""

import os

from bed.process import call

TEXT = ("Welcome to Tollgate. This sentence was made at set-up, fetched once, and is played from memory. "
        "Press any digit to be connected.")


def make(path, text=TEXT, rate=44100, seconds=None):
    """Writes a WAV, MP3 or whatever else the name ends in. seconds: cut or filled up with silence to exactly
    that length."""
    spoken = path + ".spoken.wav"
    call("espeak-ng", "-v", "en", "-w", spoken, text)
    effects = ["pad", "0", str(seconds), "trim", "0", str(seconds)] if seconds else []
    # -D: no dither, so that the same text makes the same file.
    call("sox", "-D", spoken, "-r", rate, "-c", "1", path, *effects)
    os.unlink(spoken)
    return path
