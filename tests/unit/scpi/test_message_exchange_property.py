"""The message exchange against a model of a few lines, in any order of writing, reading and clearing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from impairlab.sim_hardware.scpi import Device, Identity, Instrument, MessageSession

ANSWERS = {
    b"SYST:VERS?": b"1999.0\n",
    b"*ESE 5;*ESE?;*SRE?": b"5;0\n",
    b"*IDN?": b"impairlab,Plain,0,0\n",
    b"*SRE 0": b"",
}


class Plain(Device):
    """Nothing but the common commands."""

    identity = Identity("impairlab", "Plain")


class Exchange(RuleBasedStateMachine):
    """What was written since the last end, what may be read, and how often whom was interrupted or read in vain."""

    def __init__(self) -> None:
        super().__init__()
        self.instrument = Instrument(Plain())
        self.session = self.instrument.open_session("x")
        self.session.feed(b"*CLS\n")
        self.exchange = MessageSession(self.session)
        self.partial = b""
        self.partial_rest = b""
        self.unread = b""
        self.asked_in_vain = False
        self.errors: list[int] = []

    @rule(message=st.sampled_from(list(ANSWERS)), data=st.data())
    def write(self, message: bytes, data) -> None:
        rest = self.partial_rest if self.partial else message
        cut = data.draw(st.integers(0, len(rest)))
        piece, rest = rest[:cut], rest[cut:]
        if not self.partial and self.unread and piece:
            self.errors.append(-410)
            self.unread = b""
        self.asked_in_vain = False
        self.exchange.write(piece, end=False)
        self.partial += piece
        self.partial_rest = rest

    @rule(line_feed=st.booleans())
    def end(self, line_feed: bool) -> None:
        if not self.partial:
            return
        message = self.partial + self.partial_rest
        self.exchange.write(self.partial_rest + b"\n" * line_feed, end=True)
        self.asked_in_vain = False
        self.partial = b""
        self.unread = ANSWERS[message]

    @rule(most=st.integers(1, 30))
    def read(self, most: int) -> None:
        chunk = self.exchange.read(most)
        if self.unread:
            assert (chunk.data, chunk.end) == (self.unread[:most], len(self.unread) <= most)
            self.unread = self.unread[most:]
        else:
            assert chunk is None
            if not self.asked_in_vain:
                self.errors.append(-420)
            self.asked_in_vain = True

    @rule()
    def clear(self) -> None:
        self.exchange.clear()
        self.partial = self.unread = b""
        self.asked_in_vain = False

    @invariant()
    def available_is_what_can_be_read(self) -> None:
        assert self.exchange.message_available == bool(self.unread)
        assert bool(self.exchange.serial_poll() & 16) == bool(self.unread)

    @invariant()
    def errors_are_those_of_the_model(self) -> None:
        codes = [entry.code for entry in self.session.errors.drain() if entry.code]
        assert codes == self.errors
        self.errors.clear()


Exchange.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestExchange = Exchange.TestCase
