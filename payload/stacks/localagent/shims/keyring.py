"""Upstream reads and writes API keys through keyring; in this stack they live in slipway's keystore.

Installing the real package into this environment takes precedence over this module.
"""


class KeyringError(Exception):
    pass


def get_password(service, name):
    return None


def set_password(service, name, secret):
    raise KeyringError("not saved here; use: slipway keys set " + name.upper())


def delete_password(service, name):
    raise KeyringError("nothing is kept here; use: slipway keys remove " + name.upper())
