"""The call that shows everything once: prompt, digit, handoff to another account's module, relay, hang-up.

    caller           gateway                      callee
      | INVITE 100 ---> |  front-desk: document
      | <------- prompt |
      | digit 5 ------> |  next document: <Module code="connect"/>
      |                 |  connect: document  INVITE 2001 ---> |
      | <============= RTP, both ways ======================> |
      | BYE ----------> | BYE -----------------------------> |"""

from bed import scenario as sip
from bed.conductor import media

PROMPT_PACKETS = 75  # heard before the digit is pressed
TALK_PACKETS = 150   # each far end hears of the other before the caller hangs up


class Story:
    """What happened, for checks: the phones with what they sent and heard."""

    def __init__(self, caller, callee):
        self.caller, self.callee = caller, callee


def tell(world, say=lambda _: None, prompt_packets=PROMPT_PACKETS, talk_packets=TALK_PACKETS):
    """The gateway is up with World.front_desk()'s documents and the captures run."""
    called = world.callee(sip.taken(), sip.ring(), sip.answer(), sip.acked(), sip.report("answered", media=True),
                          sip.ended())
    story = Story(world.phone(world.network.caller), world.phone(world.network.callee))
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.report("answered", media=True), sip.wait(),
                           sip.bye())
    answered = calling.wait("answered")
    to_gateway = media(answered)
    say("answered by front-desk; the prompt plays")
    story.caller.speak_on(to_gateway)
    story.caller.wait_received(prompt_packets)

    story.caller.hush()
    say("the caller presses 5")
    story.caller.press(to_gateway, "5")
    story.caller.speak_on(to_gateway)
    reached = called.wait("answered")
    say("connect, of another account, has reached the callee; they talk")
    heard = story.caller.received
    story.callee.speak_on(media(reached))
    story.caller.wait_received(heard + talk_packets)
    story.callee.wait_received(talk_packets)

    story.caller.hush()
    story.callee.hush()
    story.caller.wait_silence()
    story.callee.wait_silence()
    say("the caller hangs up")
    calling.tell(answered)
    calling.finish()
    called.finish()
    return story
