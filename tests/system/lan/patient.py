"""A pytest plug-in: PyVISA's suite for real instruments waits 5 s for an answer instead of 0.1 s.

Its 0.1 s are the only deadline that a machine can miss by being busy: whoever is kept from running for so long, client
or server, fails a test that is not about time. The tests that are about time set times of their own.
"""

from pyvisa.testsuite.keysight_assisted_tests.messagebased_resource_utils import MessagebasedResourceTestCase

PATIENCE_MS = 5000

set_up_as_ever = MessagebasedResourceTestCase.setup_method


def set_up(self):
    set_up_as_ever(self)
    assert self.instr.timeout == 100, "as the suite sets it"
    self.instr.timeout = PATIENCE_MS


MessagebasedResourceTestCase.setup_method = set_up
