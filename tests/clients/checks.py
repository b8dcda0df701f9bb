"""Runs named checks one after the other, prints a line for each, and ends with an error if one failed."""

import sys
import traceback

_checks = []


def check(name):
    """Adds a check: a function that raises where what it sees is not what it expects."""

    def add(run):
        _checks.append((name, run))
        return run

    return add


def equal(found, expected):
    """Raises unless both are the same."""
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def refusal(error, call, *args, **kwargs):
    """The error of a call that has to fail."""
    try:
        result = call(*args, **kwargs)
    except error as refused:
        return refused
    raise AssertionError(f"expected an error, found {result!r}")


def run_all(client):
    """Runs all checks; answers the exit status."""
    failed = 0
    for name, run in _checks:
        try:
            run()
            print(f"{client}: {name}: ok", flush=True)
        except Exception:  # whatever a client raises is a failed check
            failed += 1
            print(f"{client}: {name}: FAILED", flush=True)
            traceback.print_exc(file=sys.stderr)
    print(f"{client}: {len(_checks) - failed} of {len(_checks)} checks hold", flush=True)
    return 1 if failed else 0
