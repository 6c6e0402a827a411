# SPDX-License-Identifier: GPL-2.0-only
"""How the tools of the end-to-end tests take arguments and tell outcomes. Standard library only."""
import errno
import socket

NAMES = {errno.EPERM: "denied", errno.ECONNREFUSED: "refused", errno.ETIMEDOUT: "timeout"}


def option(words, name, default):
    """Takes NAME VALUE out of the words; a VALUE of the default's type."""
    if name not in words:
        return default
    at = words.index(name)
    value = words[at + 1]
    del words[at : at + 2]
    return type(default)(value)


def flag(words, name):
    if name not in words:
        return False
    words.remove(name)
    return True


def name_of(error):
    if isinstance(error, socket.timeout):
        return "timeout"
    return NAMES.get(error.errno, errno.errorcode.get(error.errno, str(error)))


def told(work, *arguments):
    """Runs it and prints what it returns, or how the network answered."""
    try:
        outcome = work(*arguments)
    except OSError as error:
        outcome = name_of(error)
    print(outcome, flush=True)
    return 0 if outcome == "ok" else 1
