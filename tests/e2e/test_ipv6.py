"""Calls over IPv6, and between an IPv4 end and an IPv6 end: signalling, media, records."""

from bed import check, document, network, rtp, scenario as sip
from bed.conductor import media
from bed.world import DIALLED
from test_relay import CALLS, IS_CALLED, talk

CALLER6 = {"name": "caller6", "address": network.CALLER6}
CALLEE6 = {"name": "callee6", "address": f"{network.CALLEE6}/128", "target": f"[{network.CALLEE6}]", "dscp": 34}
CALLER4 = {"name": "caller", "address": network.CALLER}
# One caller who signals over IPv4 and has its media at an IPv6 address.
TRUNKS_OF_BOTH = [CALLER4, CALLER6, CALLEE6]


def dial(world, media_settings, sip_settings):
    world.start_gateway(world.documents(document.response(document.dial(DIALLED), document.hangup())),
                        {"media": media_settings, "sip": sip_settings})


def both(world, media_settings=None):
    dial(world, {"addresses": [network.GATEWAY6, network.GATEWAY], **(media_settings or {})},
         {"address": network.GATEWAY, "second_address": network.GATEWAY6, "trunks": TRUNKS_OF_BOTH})


def run(world, caller, gateway):
    """A call to the callee's IPv6 address. caller, gateway: the addresses on the caller's side. Returns the rows."""
    world.capture()
    phones = (world.phone(world.network.caller, address=caller),
              world.phone(world.network.callee, address=network.CALLEE6))
    called = world.callee(*IS_CALLED, sip.ended(), address=network.CALLEE6)
    calling = world.caller(*CALLS, sip.wait(), sip.bye(), address=caller, remote=gateway)
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    check.equal("where the callee is to send its media", remotes[1][0], network.GATEWAY6)
    check.equal("where the caller is to send its media", remotes[0][0], gateway)
    talk(phones, remotes, 150)
    calling.tell(answered)
    calling.finish()
    called.finish()
    near, far = world.streams("caller"), world.streams("callee")
    for heard, said, told in ((far, near, phones[0]), (near, far, phones[1])):
        to = network.CALLEE6 if heard is far else caller
        at = network.GATEWAY6 if heard is far else gateway
        speaker = caller if heard is far else network.CALLEE6
        stream = rtp.only(heard, at, to)
        check.none(f"what {to} heard", stream.faults())
        spoken = rtp.only(said, speaker, gateway if heard is far else network.GATEWAY6)
        check.equal(f"packets of {speaker} that came through", check.said_in_order(stream, spoken), told.sent)
    rows = world.rows()
    counts = {"to_caller_packets": rtp.count(near, gateway, caller),
              "from_caller_packets": rtp.count(near, caller, gateway),
              "to_callee_packets": rtp.count(far, network.GATEWAY6, network.CALLEE6),
              "from_callee_packets": rtp.count(far, network.CALLEE6, network.GATEWAY6)}
    for name, count in counts.items():
        check.equal(f"{name} by the CDR and by the capture", sum(row[name] or 0 for row in rows.stints()), count)
    world.audit()
    return rows


def case_call_over_ipv6(world):
    """Everything over IPv6: the gateway has no IPv4 address of its own."""
    dial(world, {"addresses": [network.GATEWAY6]}, {"address": network.GATEWAY6, "trunks": [CALLER6, CALLEE6]})
    rows = run(world, network.CALLER6, network.GATEWAY6)
    session = rows.only_session()
    check.equal("source", session["source"].rpartition(":")[0], f"[{network.CALLER6}]")
    check.equal("trunk", session["trunk"], "caller6")
    for leg, far in zip(rows.legs(), (network.CALLER6, network.CALLEE6)):
        check.equal("local address", leg["local_media"].rpartition(":")[0], f"[{network.GATEWAY6}]")
        check.equal("remote address", leg["remote_media"], f"[{far}]:6000")


def case_ipv4_caller_and_ipv6_callee(world):
    """Each end is met in its own family, and every packet crosses."""
    both(world)
    rows = run(world, network.CALLER, network.GATEWAY)
    caller, callee = rows.legs()
    check.equal("the caller's address", caller["remote_media"], f"{network.CALLER}:6000")
    check.equal("the caller's side", caller["local_media"].rpartition(":")[0], network.GATEWAY)
    check.equal("the callee's address", callee["remote_media"], f"[{network.CALLEE6}]:6000")
    check.equal("the callee's side", callee["local_media"].rpartition(":")[0], f"[{network.GATEWAY6}]")


def case_media_of_another_family_than_the_signalling(world):
    """A caller who signals over IPv4 and offers an IPv6 address for its media."""
    both(world)
    phone = world.phone(world.network.caller, address=network.CALLER6)
    called = world.callee(*IS_CALLED, sip.ended(), address=network.CALLEE6)
    calling = world.caller(*CALLS, sip.wait(), sip.bye(), media_address=network.CALLER6)
    answered = calling.wait("answered")
    called.wait("answered")
    check.equal("where the caller is to send its media", media(answered)[0], network.GATEWAY6)
    phone.speak(media(answered), 10)
    calling.tell(answered)
    calling.finish()
    called.finish()
    check.equal("packets of the caller", world.rows().only_session()["from_caller_packets"], 10)
    world.audit()


def case_no_family_in_common(world):
    """An offer at an IPv6 address, and a gateway without one: 488, and a Warning that says why."""
    world.start_gateway(world.documents(document.response(document.hangup())))
    calling = world.caller(sip.invite(), sip.refused("488"), media_address=network.CALLER6)
    calling.finish()
    warning = [line for line in calling.messages().splitlines() if line.startswith("Warning:")]
    check.equal("warnings", [line.split()[1] for line in warning[:1]], ["301"])
    check.equal("requests of documents", world.web.fetched("/front-desk/start.xml"), 0)
    session = world.rows().only_session()
    check.equal("status", session["sip_status"], 488)
    check.equal("packets", session["to_caller_packets"], 0)
    world.audit()
