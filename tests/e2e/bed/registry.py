"""Accounts, modules and numbers of a test: the groups of a registry file.

    number 100 -> front-desk (account Reception), which may hand over to
                  connect    (account Exchange), which may dial the callee"""

from bed import network

RECEPTION = "AC" + "1" * 32
EXCHANGE = "AC" + "2" * 32
FRONT_DESK, CONNECT = "front-desk", "connect"
NUMBER = "100"
CALLER_NUMBER = "4930100"
DESTINATIONS = ("200*", f"sip:*@{network.CALLEE}")


def _account(sid, name):
    return {"sid": sid, "name": name, "auth_token": f"signs-for-{name.lower()}-0000", "dials_per_second": 1000,
            "caller_ids": [CALLER_NUMBER], "destinations": list(DESTINATIONS)}


def _module(code, account, url, accepts=()):
    # The document's directory is the module's space: what it fetches from there stays with it.
    return {"code": code, "account": account, "url": url, "method": "GET", "uri_space": url.rpartition("/")[0],
            "accepts_handoff_from": list(accepts)}


def two_modules(front_url, connect_url):
    return {
        "accounts": [_account(RECEPTION, "Reception"), _account(EXCHANGE, "Exchange")],
        "modules": [_module(FRONT_DESK, RECEPTION, front_url), _module(CONNECT, EXCHANGE, connect_url, [RECEPTION])],
        "numbers": [{"pattern": NUMBER, "account": RECEPTION, "module": FRONT_DESK}],
    }
