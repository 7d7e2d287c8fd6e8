"""Documents: what the web host answers the gateway's questions with."""

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def response(*verbs):
    return HEAD + "<Response>\n" + "\n".join(verbs) + "\n</Response>\n"


def play(url, loop=1):
    return f'<Play loop="{loop}">{url}</Play>'


def gather(action, *prompts, digits=1, timeout=10):
    return (f'<Gather numDigits="{digits}" timeout="{timeout}" action="{action}" method="GET">'
            + "".join(prompts) + "</Gather>")


def module(code, return_url=None):
    back = f' return="{return_url}"' if return_url else ""
    return f'<Module code="{code}"{back}/>'


def dial(number, **attributes):
    named = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<Dial{named}><Number>{number}</Number></Dial>"


def pause(seconds):
    return f'<Pause length="{seconds}"/>'


def reject():
    return "<Reject/>"


def hangup():
    return "<Hangup/>"
