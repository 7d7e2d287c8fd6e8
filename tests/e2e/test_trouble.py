"""What an operator meets at night: a full disk, planes that die again and again, files that aren't what they
should be."""

import os

from bed import check, document, gateway, scenario as sip
from bed.conductor import media
from bed.disk import SmallDisk
from bed.process import wait_until
from test_killed import replace
from test_relay import CALLS


def case_full_disk_and_killed(world):
    """What happens to a call while nothing can be written is not lost by kill -9: the call goes on, its records
    are exact."""
    disk = SmallDisk(world)
    world.start_gateway(world.front_desk(seconds=20))
    phone = world.phone(world.network.caller)
    called = world.callee(sip.taken(), sip.ring(), sip.answer(), sip.receive("INVITE", optional=True), sip.acked(),
                          sip.report("answered"), sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    phone.wait_received(20)
    disk.fill()
    phone.press(media(answered), "5")
    control = world.gateway.plane("control")
    control.wait_for_line(r"event=handoff")
    control.wait_for_line(r"event=write-failed")
    world.gateway.forget("control")
    disk.free()
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    called.wait("answered")
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows()
    check.equal("modules of the stints", [row["module"] for row in rows.stints()], ["front-desk", "connect"])
    check.stints_meet(rows.stints())
    check.equal("leg rows", len(rows.legs()), 2)
    world.audit()


def case_full_disk_refuses_calls(world):
    """No call is taken that couldn't be recorded; one that ends meanwhile has its records when there is room."""
    disk = SmallDisk(world)
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=30)), document.hangup())))
    calls = 10  # whose records take more than what is left of the journal's last page
    first = world.caller(*CALLS, sip.wait(), sip.bye(), label="first", calls=calls)
    answered = [first.wait("answered") for _ in range(calls)]
    disk.fill()
    for report in answered:
        first.tell(report)
    first.finish()
    first.close()
    world.gateway.plane("control").wait_for_line(r"area=journal .*event=write-failed")
    refused = world.caller(sip.invite(), sip.refused("503"), label="refused")
    refused.finish()
    disk.free()
    world.gateway.plane("control").wait_for_line(r"area=journal .*event=write-recovered")
    check.equal("session rows", len(world.rows(sessions=calls).sessions()), calls)
    world.audit()


def case_damaged_journal_on_a_full_disk(world):
    """A start that can't repair the journal leaves nothing behind, however often it is tried."""
    disk = SmallDisk(world)
    planes = world.start_gateway(world.documents(document.response(document.hangup())))
    planes.forget("control")
    journal = os.path.join(world.directory, "state", "journal")
    with open(os.path.join(journal, "0000000001.journal"), "ab") as segment:
        segment.write(b"not a record" * 100)
    disk.fill()
    before = sorted(os.listdir(journal))
    for _ in range(3):
        check.equal("exit status", planes.start_plane("control", wait=False).wait(20), 1)
        planes.forget("control")
    check.equal("files of the journal", sorted(os.listdir(journal)), before)
    disk.free()
    planes.start_plane("control")


def case_killed_again_and_again(world):
    """Calls come in all the while: each of them is taken up wherever it was, and has exact records."""
    calls = 80
    url = world.prompt(seconds=4)
    world.start_gateway(world.documents(document.response(document.play(url), document.hangup())))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended(), calls=calls,
                           options=("-r", "40", "-l", str(calls)))
    for heard in (100, 800, 2000, 4000):
        phone.wait_received(heard)
        replace(world, "control")
    calling.finish()
    rows = world.rows(sessions=calls, timeout=40)
    check.equal("session rows", len(rows.sessions()), calls)
    check.equal("leg rows", len(rows.legs()), calls)
    check.packets(rows.stints(), world.streams("caller"))
    world.audit()
    shelf = f"/dev/shm/{gateway.region_name()}.sessions"
    wait_until(f"no session is left in {shelf}", lambda: not os.listdir(shelf))


def case_billing_empties_the_directory(world):
    """Files that are being written are taken away too: they come back whole."""
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=1)), document.hangup())))
    for label in "one", "two":
        calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended(), label=label)
        calling.finish()
        calling.close()
        if label == "one":
            wait_until("a CDR file is being written", lambda: os.listdir(world.gateway.cdr_directory))
            world.rows(sessions=1)
            for name in os.listdir(world.gateway.cdr_directory):
                os.unlink(os.path.join(world.gateway.cdr_directory, name))
    replace_in_order(world)
    check.equal("session rows", len(world.rows(sessions=2).sessions()), 2)


def replace_in_order(world):
    """SIGTERM, which closes the CDR files, and a new process."""
    check.equal("exit status", world.gateway.plane("control").stop(), 0)
    world.gateway.forget("control")
    world.gateway.start_plane("control")
