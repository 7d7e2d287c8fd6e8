"""A region or a journal that can't be what it should be: recognised and named, moved aside or refused, never
believed. Each case has a call before the damage and one after it."""

import contextlib
import glob
import os
import re
import struct

from bed import check, document, gateway, network, region, scenario as sip, settings
from bed.conductor import media
from bed.gateway import default_settings
from bed.process import Failure, call
from bed.world import DIALLED
from test_not_taken_up import BYE_WITH_REASON, CALLED_BYE_WITH_REASON, both_are_told, kill, relaying
from test_relay import CALLS, IS_CALLED, talk

HUGE_PAGE = 2 << 20
PLANES = ("control", "dataplane")
FIRST_SEGMENT = "0000000001"


# --- damage -----------------------------------------------------------------------------------------------


def region_path(directory=region.HUGEPAGES):
    return os.path.join(directory, gateway.region_name())


def spoil(world, what, directory=region.HUGEPAGES):
    call(os.path.join(world.build, "tests", "e2e", "spoil_region"), region_path(directory), what)


def journal(world, suffix=".journal", segment=FIRST_SEGMENT):
    return os.path.join(world.directory, "state", "journal", segment + suffix)


def flip(path, before):
    """Another byte in place of the one at the first place where this is."""
    with open(path, "r+b") as file:
        at = file.read().index(before)
        file.seek(at)
        file.write(b"\0")


@contextlib.contextmanager
def other_settings(world, changes):
    """The settings as they are with these changes, and then as they were."""
    path = world.gateway.settings_path
    with open(path, encoding="utf-8") as file:
        before = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(settings.text(settings.merge(default_settings(world.directory), changes)))
    try:
        yield
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(before)


# --- calls ------------------------------------------------------------------------------------------------


def standing(world, changes=None):
    """Two phones in a call that the caller can end. Returns what talk_on() and hang_up() want."""
    world.start_gateway(world.documents(document.response(document.dial(DIALLED), document.hangup())), changes)
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    # A successor may repeat the ACK.
    called = world.callee(*IS_CALLED, sip.receive("ACK", optional=True), sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    talk(phones, remotes, 20)
    return phones, remotes, calling, answered, called


def hang_up(there):
    _phones, _remotes, calling, answered, called = there
    calling.tell(answered)
    calling.finish()
    called.finish()


def goes_on(there):
    """Media, then the end that the caller wants."""
    talk(there[0], there[1], 20)
    hang_up(there)


def next_call_works(world, sessions=2, certain=False):
    called = world.callee(*IS_CALLED, sip.ended(), label="called-next")
    calling = world.caller(*CALLS, sip.wait(), sip.bye(), label="calling-next")
    answered = calling.wait("answered")
    called.wait("answered")
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows(sessions=sessions, certain=certain)
    newest = max(rows.sessions(), key=lambda row: row["setup_time"])
    check.none("uncertain rows of the next call",
               [row for row in rows.rows if row["session"] == newest["session"] and row["partial"]])
    world.audit()
    world.gateway.tool.text("cdr", "verify", world.gateway.cdr_directory, os.path.dirname(journal(world)))
    return rows


def exact(world, sessions=2):
    """Every row's figures are certain, but for what a dataplane that was replaced could not count."""
    rows = next_call_works(world, sessions)
    other = [row["partial"] for row in rows.rows if row["partial"] and not
             row["partial"].startswith(("the dataplane was replaced", "packets that were just being sent"))]
    check.none("other doubts than that the dataplane was replaced", other)
    for row in rows.sessions():
        check.stints_meet([stint for stint in rows.stints() if stint["session"] == row["session"]])
    return rows


# --- starts -----------------------------------------------------------------------------------------------


def start(world, first):
    """Both planes, this one first: it finds what there is. Returns it."""
    other = PLANES[1 - PLANES.index(first)]
    process = world.gateway.start_plane(first)
    world.gateway.start_plane(other)
    return process


def refused(world, plane, *wanted):
    """A start that ends with 1 and a sentence that has all of this."""
    process = world.gateway.start_plane(plane, wait=False)
    check.equal("exit status", process.wait(30), 1)
    said = "\n".join(process.lines())
    for words in wanted:
        if not re.search(words, said):
            raise Failure(f"{plane} did not say /{words}/:\n{said}")
    world.gateway.forget(plane)


def moved_aside(world, damage, reason, first):
    """Both planes are down when it is damaged; one of them finds it, and the call is over."""
    calling, called = relaying(world)
    kill(world, *PLANES)
    damage()
    bytes_then = os.stat(region_path()).st_size
    start(world, first).wait_for_line(
        rf'level=error area=region .*event=region-damaged reason=.*{reason}.*kept as \S+\.damaged until')
    check.equal("bytes of what is kept", os.stat(region_path() + ".damaged").st_size, bytes_then)
    world.gateway.plane("control").wait_for_line(r'event=session-not-taken-up .*reason="its region is gone"')
    both_are_told(world, calling, called, "its region is gone")
    ended_as_calls_that_stood(world)
    next_call_works(world)
    os.unlink(region_path() + ".damaged")


def ended_as_calls_that_stood(world):
    """What billing goes by is in the rows: they had been answered."""
    legs = world.rows(certain=False).legs()
    check.equal("status of the legs", [row["sip_status"] for row in legs], [200, 200])
    check.none("legs without an answer", [row for row in legs if not row["answer_time"] or not row["duration_ms"]])


# --- regions ----------------------------------------------------------------------------------------------


def case_region_truncated(world):
    def cut():
        half = os.stat(region_path()).st_size // 2 // HUGE_PAGE * HUGE_PAGE
        os.truncate(region_path(), half)
    moved_aside(world, cut, r"truncated: \d+ bytes, its header says \d+", "dataplane")


def case_region_of_noise(world):
    moved_aside(world, lambda: spoil(world, "noise"), r"no region in its \d+ bytes", "control")


def case_region_header_of_noise(world):
    moved_aside(world, lambda: spoil(world, "header"), r"(a capacity out of range|parts that lie elsewhere)",
                "dataplane")


def case_region_ring_of_noise(world):
    moved_aside(world, lambda: spoil(world, "ring"), r"a damaged meter ring of worker 0", "control")


def case_region_without_clock(world):
    moved_aside(world, lambda: spoil(world, "clock"), r"a damaged clock: 0 ticks per second", "dataplane")


def case_region_half_made(world):
    """As a plane that was killed while it made it leaves it: made anew, with nothing to keep."""
    calling, called = relaying(world)
    kill(world, *PLANES)
    spoil(world, "half-made")
    process = start(world, "dataplane")
    both_are_told(world, calling, called, "its region is gone")
    check.none("words about damage", [line for line in process.lines() if "region-damaged" in line])
    check.none("what is kept", glob.glob(region_path() + ".damaged"))
    next_call_works(world)


def case_region_damaged_under_the_other_plane(world):
    """The dataplane has it open: nobody takes it away from under its feet."""
    calling, called = relaying(world)
    kill(world, "control")
    spoil(world, "header")
    refused(world, "control", r"region \S+ is damaged \(.*\) and the other plane has it open: stop that, start again")
    check.none("what is kept", glob.glob(region_path() + ".damaged"))
    kill(world, "dataplane")
    start(world, "control").wait_for_line(r"event=region-damaged")
    both_are_told(world, calling, called, "its region is gone")
    next_call_works(world)


def case_region_pages_are_given_up(world):
    """There is room for one region: the damaged one makes way for the new one."""
    directory = world.huge_pages(mib=32)
    changes = {"region": {"dir": directory}}
    calling, called = relaying_in(world, changes)
    if 2 * os.stat(region_path(directory)).st_size <= 32 << 20:
        raise Failure("two regions fit: make the file system smaller")
    kill(world, *PLANES)
    spoil(world, "header", directory)
    start(world, "dataplane").wait_for_line(
        r"event=region-damaged reason=.*; removed, since the new one needs its memory")
    check.equal("regions", os.listdir(directory), [gateway.region_name()])
    both_are_told(world, calling, called, "its region is gone")
    next_call_works(world)


def case_region_pages_come_back(world):
    """What is kept holds its pages until it is removed."""
    directory = world.huge_pages(mib=96)
    calling, called = relaying_in(world, {"region": {"dir": directory}})
    kill(world, *PLANES)
    free = os.statvfs(directory).f_bfree
    spoil(world, "header", directory)
    start(world, "control").wait_for_line(r"event=region-damaged reason=.*kept as ")
    both_are_told(world, calling, called, "its region is gone")
    pages = os.stat(region_path(directory)).st_size // HUGE_PAGE
    check.equal("pages of a second region", free - os.statvfs(directory).f_bfree, pages)
    os.unlink(region_path(directory) + ".damaged")
    check.equal("pages without the damaged one", os.statvfs(directory).f_bfree, free)
    next_call_works(world)


def relaying_in(world, changes):
    """As relaying(), with other settings."""
    world.start_gateway(world.documents(document.response(document.dial(DIALLED), document.hangup())), changes)
    called = world.callee(*IS_CALLED, CALLED_BYE_WITH_REASON)
    calling = world.caller(*CALLS, BYE_WITH_REASON)
    calling.wait("answered")
    called.wait("answered")
    return calling, called


def case_region_of_another_node(world):
    """Settings of another node: control is refused, media goes on; with its own settings the call is taken up."""
    there = standing(world)
    kill(world, "control")
    with other_settings(world, {"node": {"name": "gw2"}}):
        refused(world, "control", r"the region belongs to node \W+gw1\W+, the settings name node \W+gw2\W",
                r"put node\.name back or give this node a region\.name of its own", r"tollgate drain")
        talk(there[0], there[1], 20)
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    exact(world)


def case_region_of_another_layout(world):
    there = standing(world)
    kill(world, *PLANES)
    spoil(world, "next-version")
    for plane in PLANES:
        refused(world, plane, r"region \S+ has layout version (\d+), this program has (?!\1)\d+",
                r"let calls end \(tollgate drain\), stop both planes, remove the file, start again")
    spoil(world, "version-back")
    start(world, "dataplane")
    world.gateway.plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    exact(world)


def case_region_of_another_capacity(world):
    there = standing(world)
    kill(world, "control")
    with other_settings(world, {"media": {"items": 128}}):
        refused(world, "control", r"was made for 1 workers, .* 64 media items, .*the settings now say .* 128, ",
                r"put the settings back, or let calls end \(tollgate drain\), stop both planes, remove the file")
        talk(there[0], there[1], 20)
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    exact(world)


# --- rows of a region --------------------------------------------------------------------------------------


def case_rows_of_noise(world):
    """Which leg has which row can't be told any more: the call is over, and the rows are free again."""
    rows_of_noise(world, "rows", "not-taken-up")


def case_open_rows_of_noise(world):
    """The legs are known, and nothing of what they are: the first thing that their rows say ends the call."""
    rows_of_noise(world, "open-rows", "media-timeout")


def rows_of_noise(world, what, cause):
    calling, called = relaying(world)
    kill(world, *PLANES)
    spoil(world, what)
    start(world, "dataplane").wait_for_line(r"level=error .*event=rows-damaged worker=0 rows=[1-9]")
    control = world.gateway.plane("control")
    control.wait_for_line(rf"event=session-ending cause={cause}")
    calling.finish()
    called.finish()
    session = world.rows(certain=False).only_session()
    if "meter record missing" not in session["partial"]:
        raise Failure(f"the session's row is partial because of {session['partial']!r}")
    check.equal("packets that noise counts for", session["from_caller_packets"], 0)
    next_call_works(world)


def case_media_table_of_noise(world):
    """What was in memory is fetched again."""
    url = world.prompt(seconds=1)
    world.start_gateway(world.documents(document.response(document.play(url), document.hangup())))
    phone = world.phone(world.network.caller)
    played = (sip.invite(), sip.answered(), sip.ack(), sip.ended())
    world.caller(*played, label="before").finish()
    kill(world, *PLANES)
    spoil(world, "media-table")
    control = start(world, "dataplane")
    world.gateway.plane("control").wait_for_line(r"level=warn area=cache .*event=items-broken count=\d+")
    heard = phone.received
    world.caller(*played, label="after").finish()
    phone.wait_received(heard + 50)
    check.equal("packets of the prompt", phone.received - heard, 50)
    check.equal("fetches of the prompt",
                len([request for request in world.web.requests() if request[1] == "/prompt.wav"]), 2)
    world.rows(sessions=2)
    world.audit()
    if not control.running():
        raise Failure("the dataplane is gone")


def case_meter_record_of_nobody(world):
    """It is in the ring, and can be no worker's: it is no money."""
    there = standing(world)
    kill(world, *PLANES)
    spoil(world, "meter-record")
    control = start(world, "control")
    control.wait_for_line(r"level=error area=link .*event=meter-record-refused worker=0 row=\d+ generation=1")
    goes_on(there)
    rows = exact(world)
    check.none("rows that it is in", [row for row in rows.sessions() if row["from_caller_packets"] >= 1000000])


# --- journals ------------------------------------------------------------------------------------------------


def case_journal_of_another_node(world):
    """A region of its own, and the journal of the other: nothing is written to it."""
    there = standing(world)
    kill(world, "control")
    with open(journal(world), "rb") as file:
        before = file.read()
    other = gateway.region_name() + "-other"
    with other_settings(world, {"node": {"name": "gw2"}, "region": {"name": other}}):
        refused(world, "control", r"the journal \S+ (was begun by|is) node \W+gw1\W.*, the settings name node \W+gw2\W",
                r"put node\.name back, or give this node a node\.state_dir of its own")
        talk(there[0], there[1], 20)
    with open(journal(world), "rb") as file:
        check.equal("the journal", file.read(), before)
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    exact(world)


def record(sequence, payload, magic=b"JNL1", crc=0):
    return magic + struct.pack("<IQQI", len(payload), sequence, 1, crc) + payload


def case_journal_of_another_version(world):
    """It goes on in a format that this program doesn't read: it is left as it is."""
    there = standing(world)
    kill(world, "control")
    good = os.stat(journal(world)).st_size
    with open(journal(world), "ab") as file:
        file.write(record(1000, b"{}", magic=b"JNL2", crc=1))
    refused(world, "control", r"goes on in another format than version 1, which this program reads \(record \d+, "
            rf"byte {good}\)", r"go back to the program that wrote it")
    check.equal("bytes of the journal", os.stat(journal(world)).st_size, good + 30)
    check.none("what is kept", glob.glob(journal(world, ".damaged*")))
    os.truncate(journal(world), good)
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    exact(world)


def case_journal_last_segment_of_noise(world):
    """What came before it counts, and here that is all."""
    there = standing(world)
    kill(world, "control")
    noise = os.urandom(100000)
    with open(journal(world, segment="0000000002"), "wb") as file:
        file.write(noise)
    control = world.gateway.start_plane("control")
    control.wait_for_line(r"level=warn area=journal .*event=tail-cut segment=\S+0000000002\.journal bytes=100000 "
                          r"kept=\S+0000000002\.damaged")
    control.wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    with open(journal(world, ".damaged", "0000000002"), "rb") as file:
        check.equal("what is kept", file.read(), noise)
    goes_on(there)
    exact(world)


def forget_checkpoints(world):
    """A start reads what follows the newest one only: without any it reads all."""
    for path in glob.glob(os.path.join(os.path.dirname(journal(world)), "checkpoint*")):
        os.remove(path)


def case_journal_damaged_in_the_middle(world):
    """The call goes on; its rows say what they lack."""
    there = standing(world)
    kill(world, "control")
    forget_checkpoints(world)
    flip(journal(world), b'"fact":"leg_media"')
    control = world.gateway.start_plane("control")
    control.wait_for_line(r"level=error area=journal .*event=tail-cut segment=\S+ bytes=\d+ whole_records=[1-9]\d* "
                          r"kept=\S+0000000001\.damaged hint=.*check the disk")
    control.wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    rows = next_call_works(world)
    first = min(rows.sessions(), key=lambda row: row["setup_time"])
    if "facts are missing in the journal" not in first["partial"]:
        raise Failure(f"the session's row is partial because of {first['partial']!r}")


def case_journal_of_noise_alone(world):
    """Of what nothing is known any more nothing can be recorded; calls that begin from here on are."""
    there = standing(world)
    world.capture(world.network.caller)
    kill(world, "control")
    size = os.stat(journal(world)).st_size
    with open(journal(world), "wb") as file:
        file.write(os.urandom(size))
    control = world.gateway.start_plane("control")
    control.wait_for_line(r"event=tail-cut segment=\S+ bytes=\d+ kept=\S+0000000001\.damaged")
    _phones, _remotes, calling, answered, called = there
    calling.tell(answered)
    with contextlib.suppress(Failure):  # its BYE isn't answered as it wants it
        calling.finish()
    calling.close()
    called.close()
    next_call_works(world, sessions=1)
    said = [line for source, line in world.sip("caller") if source == network.GATEWAY]
    check.equal("answers to the BYE", [line for line in said if line.startswith("SIP/2.0 481 ")][:1],
                ["SIP/2.0 481 Call/Transaction Does Not Exist"])


def case_journal_damaged_before_its_last_segment(world):
    """That is no torn write: nothing is guessed, nothing is changed."""
    there = standing(world)
    kill(world, "control")
    with open(journal(world), "rb") as file:
        before = file.read()
    with open(journal(world, segment="0000000002"), "wb"):
        pass
    forget_checkpoints(world)
    flip(journal(world), b'"fact":"leg_media"')
    refused(world, "control", r"0000000001\.journal is damaged after byte \d+ \(record \d+ should follow\), and more "
            r"segments come after it: restore it from a copy, or move it and those after it aside")
    check.none("what is kept", glob.glob(journal(world, ".damaged*")))
    talk(there[0], there[1], 20)
    with open(journal(world), "wb") as file:
        file.write(before)
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    goes_on(there)
    exact(world)
