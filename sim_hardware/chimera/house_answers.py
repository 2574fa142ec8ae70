"""What the simulated Chimera does where nothing public says what a real one does. Nothing in here is vendor behaviour.

Everything else in this package follows the xoa-cli reference, the saved configurations and logs that are public, and
PyPI tdl-xoa-driver 1.11.0. A test that rests on an answer of this table shows nothing about hardware.
"""

from dataclasses import dataclass
from typing import Literal

from impairlab.sim_hardware.chimera.status import Status, StatusError


@dataclass(frozen=True, slots=True)
class HouseAnswer:
    """One answer of the house.

    Attributes:
        situation: What is asked, or happens.
        answer: What the simulator does.
        reason: Why this and nothing else.
        option: The field of `HouseOptions` that changes it; empty when it is fixed.
    """

    situation: str
    answer: Status | str
    reason: str
    option: str = ""

    @property
    def text(self) -> str:
        """The answer as the documentation has it."""
        return f"`{self.answer}`" if isinstance(self.answer, Status) else self.answer

    def error(self) -> StatusError:
        """Return the answer as an error to raise.

        Raises:
            TypeError: When the answer is no status.
        """
        if not isinstance(self.answer, Status):
            raise TypeError(f"not a status: {self}")
        return StatusError(self.answer)


@dataclass(frozen=True, slots=True)
class HouseOptions:
    """The answers that a test may want otherwise.

    Attributes:
        off_grid: A latency that is no multiple of 100 ns: `refuse` answers <BADVALUE>, `round-down` takes less.
        spacing: Between the parts of an echoed command: `double` as in public logs, `single` as in the reference.
        empty_line: What an empty line and a comment are answered: `silence` or an `empty-line`.
        shadow_dirty: What PEF_ISSHADOWDIRTY answers YES to: a shadow that is `dirty`, or one that is `in-sync`.
    """

    off_grid: Literal["refuse", "round-down"] = "refuse"
    spacing: Literal["double", "single"] = "double"
    empty_line: Literal["silence", "empty-line"] = "silence"
    shadow_dirty: Literal["dirty", "in-sync"] = "dirty"


OFF_GRID = HouseAnswer(
    "a latency that is no multiple of 100 ns",
    Status.BADVALUE,
    "the reference says multiples of 100 ns and not what becomes of others; a refusal hides nothing",
    option="off_grid",
)
SPACING = HouseAnswer(
    "spaces between the parts of an echoed command",
    "two",
    "public logs of real chassis show two, the reference shows one",
    option="spacing",
)
LINE_END = HouseAnswer("the end of a line that is sent", "a line feed", "clients of both kinds strip it")
SYNC_SWITCH = HouseAnswer("SYNC ON and SYNC OFF", Status.OK, "what they do is public, what they are answered is not")
EMPTY_LINE = HouseAnswer(
    "an empty line, or one that begins with a semicolon",
    "nothing is sent",
    "an empty line is public as keep-alive and its answer is not; a client that waits for none stays in step",
    option="empty_line",
)
SHADOW_DIRTY = HouseAnswer(
    "PEF_ISSHADOWDIRTY when the shadow differs from the working copy",
    "YES",
    "the name of the command and of PEF_CANCEL say so; tdl-xoa-driver calls it is_in_sync, the reverse",
    option="shadow_dirty",
)
PENDING = HouseAnswer(
    "a command that is answered `<PENDING>`",
    "it has not been carried out; send it again",
    "the reference does not say what a client has to do; doing nothing is the state that a client can mend",
)
CARET_LINE = HouseAnswer(
    "the line that points at a syntax error",
    "dashes up to the column and ^ in it; ^--- in the first three columns",
    "both public examples agree with that, and neither can be counted out: their spaces got lost in print",
)
ERROR_COLUMN = HouseAnswer(
    "the column of a syntax error",
    "of the first character of the word that is wrong, the first column being 1",
    "the public example names column 24 of a line that has 22 characters in print",
)
WRONG_COUNT = HouseAnswer(
    "too few or too many values",
    Status.BADSIZE,
    "the reference: the size of a data value is not appropriate",
)
OVERLONG_LINE = HouseAnswer(
    "a line of more than 65536 bytes",
    Status.BADSIZE,
    "1024 values of a custom distribution fit three times; memory must have an end",
)
DEFAULT_ADDRESS = HouseAnswer(
    "a line that is only a module and port, or ?",
    "`<OK>`; ? shows them, with - for none",
    "public scripts send 0/1 and wait for an answer that ends in >; its text is not public",
)
LIST_QUERIES = HouseAnswer(
    "P_CONFIG ?, P_INFO ? and their like for modules and the chassis",
    "one line for each parameter of that level that can be set, or only read",
    "queries of several are public, what belongs to each is not",
)
WAIT_AND_HELP = HouseAnswer(
    "WAIT and HELP",
    "a syntax error",
    "they serve people at a terminal; a driver that used them would have to be told that it must not",
)
ORDER_OF_CHECKS = HouseAnswer(
    "several things wrong at once",
    "syntax, logon, module, port, index, direction of access, reservation, number and range of values, state",
    "from the outside in, so that a driver learns the most basic fault first",
)
WRONG_PASSWORD = HouseAnswer(
    "C_LOGON with a wrong password",
    Status.BADVALUE,
    "tdl-xoa-driver takes this status as a wrong password",
)
TOO_MANY_SESSIONS = HouseAnswer(
    "C_LOGON of a session beyond the constructor's max_sessions",
    Status.NOCONNECTIONS,
    "the chassis has no available connection slots, says the reference, and not when it says so",
)
NO_OWNER = HouseAnswer(
    "a reservation before C_OWNER",
    Status.NOTVALID,
    "the owner must have been specified, says the reference; the operation is not valid in this state",
)
RESERVED_BY_OTHER = HouseAnswer(
    "RESERVE of what another session holds, or what contains or is contained in it",
    Status.NOTVALID,
    "the reference says that it fails and names `<NOTVALID>` for one such case, the chassis",
)
RELEASE_OF_FOREIGN = HouseAnswer(
    "RELEASE of what this session does not hold", Status.NOTRESERVED, "the caller has not reserved it"
)
RELINQUISH_OF_FREE = HouseAnswer(
    "RELINQUISH of what nobody holds", Status.OK, "there is nothing to do, and public scripts send it unasked"
)
LONG_OWNER = HouseAnswer(
    "C_OWNER with more than eight characters",
    Status.BADSIZE,
    "up to eight characters, says tdl-xoa-driver, and not what becomes of more",
)
END_OF_SESSION = HouseAnswer(
    "the reservations of a connection that has ended",
    "they are released; what is programmed stays",
    "a reservation belongs to a connection, says the reference; an appliance goes on without its client",
)
UNASKED = HouseAnswer(
    "whom the binary protocol tells of a change, and of which",
    "every session that is logged on, the one that made it too, when one of the commands that tdl-xoa-driver marks as "
    "pushed is set, and when a reservation ends; not of what follows from another command, P_RESET for one",
    "that a chassis does so is public, when and to whom is not",
)
NAMES = HouseAnswer(
    "C_NAME and other descriptions of chassis and module that can be written",
    Status.NOTWRITABLE,
    "nothing about impairment depends on them",
)
MODULE_SETTINGS = HouseAnswer(
    "M_LATENCYMODE and M_EMULBYPASS without a reservation of the module",
    Status.NOTRESERVED,
    "the reference: the resource that is to be changed must be reserved",
)
IDLE_CLOSE = HouseAnswer(
    "a connection that was silent longer than C_TIMEOUT",
    "it is closed in the ordinary way, without a word",
    "that it times out is public, how it ends is not",
)
WRONG_IMPAIRMENT = HouseAnswer(
    "a distribution that this impairment has not got, as PED_CONST on drop",
    Status.NOTVALID,
    "which go together is public, the answer is not",
)
OTHER_DISTRIBUTION = HouseAnswer(
    "the query of a distribution that is not the one in use",
    Status.NOTVALID,
    "there is no value to show, and a wrong one would hide a setting that was lost",
)
OUT_OF_VALIDITY = HouseAnswer(
    "mean and deviation that leave the range, by the rules of the reference",
    Status.BADVALUE,
    "the rules are public, the answer is not",
)
ENABLE_WITHOUT_DISTRIBUTION = HouseAnswer(
    "PED_ENABLE ON where the distribution is off", Status.NOTVALID, "there is nothing to enable"
)
WRITE_WHILE_ENABLED = HouseAnswer(
    "a distribution or schedule that is written while its impairment is enabled",
    "it acts at once",
    "the reference forbids it nowhere",
)
SAME_MODE = HouseAnswer(
    "M_LATENCYMODE with the mode that is set already",
    "nothing is reset",
    "all latencies are reset on a change, says the reference",
)
SCHEDULE_UNIT = HouseAnswer(
    "the unit of PED_SCHEDULE",
    "10 ms; the constructor's schedule_unit_ns changes it",
    "the reference says multiples of 10 ms, the page of the manager writes 1.2 s as 1200",
)
SCHEDULE_OF_LATENCY = HouseAnswer(
    "PED_SCHEDULE on a latency other than accumulate & burst", Status.NOTVALID, "only that one is scheduled"
)
SHORT_PERIOD = HouseAnswer(
    "a period that is not 0 and below the duration", Status.BADVALUE, "a part cannot be longer than the whole"
)
ONE_SHOT_STATUS = HouseAnswer(
    "PED_ONESHOTSTATUS",
    "1 when the counters show the whole burst since it was enabled, else 0",
    "a byte, says the reference, and no more",
)
LATENCY_RANGE = HouseAnswer(
    "PE_LATENCYRANGE",
    "0 to 1000000000 ns, ten times that in extended mode; the constructor's latency_range_ns changes it",
    "the limits by speed are not public; one second lets every scenario run",
)
EXTENDED_STEP = HouseAnswer(
    "the step of a latency in extended mode",
    "100 ns as in normal mode",
    "its precision is lower, says the reference, and not how much",
)
ACCUMULATION = HouseAnswer(
    "accumulate & burst once, `1 0`, or every N units, `1 N`",
    "packets that come within the burst delay from when it was enabled, or from each beginning of the period, wait for "
    "the delay since the first of them and leave together",
    "the reference does not say when an accumulation begins",
)
LATENCY_ORDER = HouseAnswer(
    "packets whose delays differ", "they stay in order", "misordering is an impairment of its own"
)
MISORDER_HOLD = HouseAnswer(
    "a misordered packet that nothing follows", "it leaves after one second", "a depth in packets has no time"
)
POISSON_QUANTUM = HouseAnswer(
    "the unit in which a Poisson latency has the deviation sqrt(mean)",
    "100 ns",
    "the reference gives sqrt(mean) without a unit; 100 ns is the step of all latencies",
)
CUSTOM_LINEAR = HouseAnswer(
    "the order in which the entries of a custom distribution are used",
    "drawn at random, linear ON or OFF",
    "the reference does not say what either does; each entry is equally likely in the long run",
)
CUSTOM_IDS = HouseAnswer(
    "the numbers of custom distributions",
    "0 to 40",
    "1 to 40, says the reference; its examples and tdl-xoa-driver begin with 0",
)
CUSTOM_LENGTH = HouseAnswer(
    "a number of values other than the entry count, or a count other than 512 and 1024", Status.BADSIZE, "as named"
)
CUSTOM_IN_USE = HouseAnswer(
    "PEC_DELETE or PEC_INDICES that deletes a distribution in use",
    Status.NOTVALID,
    "an error, says the reference, and not which",
)
CUSTOM_DEFAULT = HouseAnswer(
    "a distribution made by PEC_INDICES alone",
    "512 zeros, not linear",
    "default values, says the reference, and not which",
)
FILTER_INDEX = HouseAnswer(
    "a PEF_ command with the flow index alone",
    "the shadow copy is meant",
    "saved configurations write both indices, the reference writes one",
)
WORKING_COPY_WRITTEN = HouseAnswer(
    "a filter setting that is written to the working copy",
    Status.NOTWRITABLE,
    "it cannot be written directly, says the reference",
)
FILTER_OF_FLOW_0 = HouseAnswer("a PEF_ command on flow 0", Status.BADINDEX, "the default flow has no filter")
FILTER_BEYOND_MODEL = HouseAnswer(
    "PEF_APPLY of a filter that the data plane cannot do: MAC, MPLS, ANY, TPLD, PCP, EXCLUDE, odd masks, extended mode",
    Status.NOTSUPPORTED,
    "real hardware can; to match the wrong packets in silence would be worse",
)
FILTER_DEFAULTS = HouseAnswer(
    "a setting of a filter before it is written",
    "OFF and INCLUDE, value 0, the masks of the reference",
    "the reference gives values and masks; which action is the default it does not",
)
BEYOND_PLANE = HouseAnswer(
    "a setting that the data plane cannot do",
    Status.NOTSUPPORTED,
    "nothing is programmed that packets would not show",
)
LIMIT_LAYER = HouseAnswer(
    "the layer of a policer or shaper before it is written",
    "L2",
    "the reference says L2 (0), and that L1 is 0: the word is taken",
)
BOTH_LIMITS = HouseAnswer(
    "policer and shaper of one flow ON together, or either ON with a rate of 0",
    Status.NOTSUPPORTED,
    "a flow of the data plane has one limit, above 0; real hardware has both",
)
TWO_FLAPS = HouseAnswer(
    "link flap ON at both ports of a pair",
    Status.NOTSUPPORTED,
    "a flow of the data plane has one link that flaps; a flap at either port takes both directions down",
)
FLAP_WHILE_ON = HouseAnswer(
    "PP_LINKFLAP_PARAMS or PP_PMAERRPUL_PARAMS while it is enabled", Status.NOTVALID, "the reference does not say"
)
ERROR_PULSES = HouseAnswer(
    "PP_PMAERRPUL_ENABLE ON",
    Status.NOTSUPPORTED,
    "the data plane has no bits below the frame; the parameters are kept and shown",
)
CORRUPTION_OF_FLOW_0 = HouseAnswer(
    "PE_CORRUPT IP, UDP or TCP on flow 0", Status.NOTSUPPORTED, "not supported there, says the reference"
)
FCS_AND_PAYLOAD = HouseAnswer(
    "PE_FCSDROP and PE_TPLDMODE",
    "they are kept and shown, and do nothing",
    "no frame of the data plane bears an FCS or a test payload of this vendor",
)
CORRUPTION_BER = HouseAnswer(
    "PE_CORRUPT BER", "one bit of the payload is flipped in a packet that is hit", "what it damages is not public"
)
LINKS_DOWN = HouseAnswer(
    "a chassis that starts with its links down",
    "P_RECEIVESYNC says NO_SYNC and nothing passes until P_TXENABLE ON at either port of the pair",
    "links down at the start are reported by users, the way out is not",
)
RESET = HouseAnswer(
    "P_RESET",
    "flows, filters, custom distributions, flap, emulation and comment of the port are as after power-on",
    "port-level parameters to standard values, says the reference",
)
OTHER_DROPS = HouseAnswer(
    "packets dropped for other reasons",
    "those that met a link down",
    "the counter is public, what it counts is not; a frame with a wrong FCS is dropped by the next receiver, not here",
)
RATES_OF_FLOWS = HouseAnswer(
    "bits and packets in the last second, in PR_FLOWTOTAL and PT_FLOWTOTAL",
    "0",
    "the data plane counts and measures no rate; the counts beside them are right",
)
RATIOS = HouseAnswer(
    "the ratios of the counters",
    "per million packets received, cut to whole ones; 0 before the first",
    "the reference says ppm and not of what",
)
CORRUPTION_COUNTS = HouseAnswer(
    "corrupted packets by layer",
    "counted to the type of PE_CORRUPT at the time; BER counts to the total alone",
    "the counters are public, what BER counts to is not",
)

TABLE = tuple(value for value in tuple(globals().values()) if isinstance(value, HouseAnswer))
"""All of them, in the order above."""
