"""A far end that has fallen silent."""

from bed import check, document, scenario as sip
from bed.conductor import media
from bed.world import DIALLED
from test_relay import CALLS, IS_CALLED, talk


def case_media_timeout(world):
    """Both fall silent: the gateway ends the call after media.timeout_ms and says why."""
    world.start_gateway(world.documents(document.response(document.dial(DIALLED))),
                        {"media": {"timeout_ms": 1000}})
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.ended())
    remotes = media(calling.wait("answered")), media(called.wait("answered"))
    talk(phones, remotes, 50)
    calling.finish()
    called.finish()
    rows = world.rows()
    released = {leg["released_by"] for leg in rows.legs()}
    check.equal("who released the legs", released, {"gateway"})
    world.audit()
