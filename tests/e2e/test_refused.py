"""What isn't allowed: sources, numbers, destinations."""

from bed import check, document, network, scenario as sip


def _any_document(world):
    world.start_gateway(world.documents(document.response(document.hangup())))


def _no_trace(world):
    check.equal("sessions in the CDR", len(world.rows(sessions=0).sessions()), 0)
    check.equal("requests of documents", world.web.fetched("/front-desk/start.xml"), 0)


def case_source_not_allowed(world):
    """An INVITE from an address that is no trunk's: 403, nothing is fetched, no record."""
    _any_document(world)
    stranger = world.caller(sip.invite(), sip.refused("403"), host=world.network.web, label="stranger")
    stranger.finish()
    _no_trace(world)
    world.audit()


def case_number_not_known(world):
    _any_document(world)
    calling = world.caller(sip.invite(), sip.refused("404"), number="999")
    calling.finish()
    check.equal("requests of documents", world.web.fetched("/front-desk/start.xml"), 0)
    world.audit()


def case_no_codec_in_common(world):
    _any_document(world)
    calling = world.caller(sip.invite(sip.sdp(types="18 101")), sip.refused("488"))
    calling.finish()
    check.equal("requests of documents", world.web.fetched("/front-desk/start.xml"), 0)
    world.audit()


def case_destination_not_allowed(world):
    """Dialling what the account may not dial: no INVITE leaves, the document goes on."""
    sorry = world.prompt("sorry.wav", seconds=1)
    world.start_gateway(world.documents(document.response(document.dial("+4990012345"), document.play(sorry),
                                                          document.hangup())))
    world.capture()
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    calling.finish()
    phone.wait_silence()
    check.equal("packets heard", len(check.one_voice(world.streams("caller"), network.CALLER)), 50)
    check.none("what the callee was sent", world.sip("callee"))
    world.rows()
    world.audit()


def case_document_from_forbidden_address(world):
    """Private addresses are fetched from only where allowed by name."""
    world.start_gateway(world.documents(document.response(document.hangup())), {"http": {"allow": ["198.18.0.99"]}})
    calling = world.caller(sip.invite(), sip.refused("500"))
    calling.finish()
    check.equal("requests of documents", world.web.fetched("/front-desk/start.xml"), 0)
