"""Impair a path for as long as a block lasts, and say what was proved."""

import sys

from impairlab.drivers import CapabilityError, connect, delay, loss

with connect(sys.argv[1]) as box:
    path = box.path("1")

    with path.impaired(delay("45 ms", jitter="8 ms"), loss("0.3 %", burst=4), direction="b-a") as applied:
        print(f"now: {path.b_to_a.read()}")
        for field in applied:
            took_ms = (field.acknowledged_ns - field.sent_ns) / 1e6
            print(f"  {field.field}: asked {field.asked}, read back {field.read_back}, within {took_ms:.1f} ms")

    print(f"afterwards: {path.b_to_a.read()}")

    try:
        path.apply(delay("20 s"))
    except CapabilityError as error:
        print(f"refused: {error.violations[0]}")
