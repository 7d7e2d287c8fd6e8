"""Accounts, modules and numbers of a test: a registry file as text.

    number 100 -> front-desk (account of Reception), which may hand over to
                  connect    (account of Exchange), which may dial the callee"""

from bed import network, settings

RECEPTION = "AC" + "1" * 32
EXCHANGE = "AC" + "2" * 32
FRONT_DESK, CONNECT = "front-desk", "connect"


def account(sid, name, destinations=(), caller_ids=("*",)):
    return {"sid": sid, "name": name, "auth_token": "token-of-" + name, "destinations": list(destinations),
            "caller_ids": list(caller_ids)}


def module(code, owner, url, accepts=(), method="GET", **more):
    return {"code": code, "account": owner, "url": url, "method": method, "accepts": list(accepts), **more}


def two_modules(front_url, connect_url, destinations=("200*", f"sip:*@{network.CALLEE}"), accepts=(RECEPTION,)):
    """The demonstration's registry: number 100 is Reception's, module connect is Exchange's."""
    return {
        "accounts": [account(RECEPTION, "Reception"), account(EXCHANGE, "Exchange", destinations)],
        "modules": [module(FRONT_DESK, RECEPTION, front_url), module(CONNECT, EXCHANGE, connect_url, accepts)],
        "numbers": [{"pattern": "100", "account": RECEPTION, "module": FRONT_DESK}],
    }


def text(groups):
    return settings.text(groups)
