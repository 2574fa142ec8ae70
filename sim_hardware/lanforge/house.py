"""HOUSE ANSWERS of the simulated LANforge ICE: what no public text says about the box, and what the simulation does.

Nothing here is vendor behaviour. What is public is in `commands`, `settings`, `shown` and `text`, with its source.
"""

from enum import IntEnum

from impairlab.sim_hardware.house import HouseAnswer

DEFAULT_LINE_BPS = 1_000_000_000
MOST_BPS = 10**15
LEAST_JITTER_SHARE = 250
JITTER_TABLE = 4_000
REORDER_HOLD_MS = 100
AUTO_BUFFER_KB = 64
MANAGER = "default_tm"


class Code(IntEnum):
    """What follows `>>RSLT:`; 0 alone is public."""

    OK = 0
    UNKNOWN_COMMAND = 9001
    BAD_ARGUMENT = 9002
    NOT_FOUND = 9003
    CONFLICT = 9004
    CANNOT = 9005
    TIMED_OUT = 9006


class Refused(Exception):  # noqa: N818 - what the box says
    """A command that is not carried out; nothing has changed."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code


TABLE = (
    HouseAnswer(
        "The number behind `>>RSLT:` of a command that is not carried out",
        "9001 no such command, 9002 an argument, 9003 no such name, 9004 not in this state, 9005 the data plane, "
        "9006 timed out; nothing has changed, and a line says why",
        "Only 0 is public; these cannot be taken for the vendor's",
    ),
    HouseAnswer(
        "What stands behind `Cmd:`",
        "The words of the command, a blank between them",
        "Public is that something does",
    ),
    HouseAnswer(
        "The order of an answer",
        "What is shown, the line with `>>RSLT:` unless brief is 1, a blank line, the prompt; lines end with CR LF",
        "Vendor's scripts read what is shown up to `>>RSLT:`, or up to the prompt",
    ),
    HouseAnswer(
        "brief at first",
        "1 in every new session, so `>>RSLT:` is not shown",
        "The vendor's scripts begin with `set_flag brief 0` for that reason",
    ),
    HouseAnswer("Greeting and echo", "The prompt alone; nothing is echoed", "Clients wait for the prompt"),
    HouseAnswer("`exit` and `quit`", "They end the session", "Somebody must be able to leave"),
    HouseAnswer(
        "What is there after power-on",
        "A cross-connect a path, wl1 of wl1-A and wl1-B and so on, RUNNING and without impairment; other names by the "
        "constructor's `wanlinks`",
        "So that it can be programmed at once; it is also what the public output is called",
    ),
    HouseAnswer(
        "The ports",
        "eth1 and eth2 are path 1 of the plane, eth3 and eth4 path 2; a number without eth is taken, too; "
        "shelf 1, resource 1",
        "The examples begin with eth1",
    ),
    HouseAnswer(
        "Which packets an endpoint impairs",
        "Those that come in at its port: a-b from the odd one, b-a from the even one",
        "Its latency is added to each packet that enters the WanLink",
    ),
    HouseAnswer(
        "What happens to packets of a path without a running cross-connect",
        "Nothing passes, either way",
        "A WanLink forwards while it runs",
    ),
    HouseAnswer("When a setting acts", "At once where its cross-connect is running", "No command that would apply it"),
    HouseAnswer(
        "Settings of an endpoint at first",
        "The rate and latency it was added with, ExtraBuf 64KB, jitter on every packet, 1 for both drop amounts, "
        "1 and 10 for the reorder amounts, all else 0",
        "The defaults that are public; 64KB as in the public output",
    ),
    HouseAnswer("A number out of range, a word that is none, or min above max", "9002", "No value is ever moved"),
    HouseAnswer("Words left out at the end", "Kept, as NA is", "The vendor's scripts leave them out"),
    HouseAnswer("max_jitter with `us`", "Microseconds, as for latency; a number alone is ms", "Latency takes it"),
    HouseAnswer(
        "How times are shown that are not whole ms",
        "In whole us, `Latency: 500us`",
        "Public are whole ms; what was set must not be rounded away",
    ),
    HouseAnswer(
        "The rate",
        "A line whose frames count from their Ethernet header on; at or above the constructor's `line_bps` (1 Gbit/s) "
        "it is shown and limits nothing; 1 to 1000000000000000",
        "A wanlink that is as quick as its port does not hold packets up",
    ),
    HouseAnswer(
        "The queue",
        "MaxBuf, which is ExtraBuf and 1514 B; AUTO is shown as -1KB and is 64 KB",
        "The two public outputs have 67050B with 64KB and 103914B with 100KB",
    ),
    HouseAnswer(
        "drop_freq with drop amounts above 1",
        "A burst of that many packets begins at a packet with that probability",
        "One of two readings; the other is a long-run share",
    ),
    HouseAnswer("dup_freq", "One more copy of a packet that is hit", "The plain meaning"),
    HouseAnswer(
        "max_jitter",
        "From 0 to max_jitter on top of the latency, evenly; packets stay in order",
        "It is the most; reordering is a setting of its own",
    ),
    HouseAnswer(
        "jitter_freq",
        "Its share of packets is hit, to within a 4000th of the share; 1 to 249 is 9005 where it would act; beyond "
        "1000000 is every packet",
        "The data plane draws from a table of 4000 delays",
    ),
    HouseAnswer(
        "reorder_freq",
        "A packet that is hit waits for min to max later ones of its flow, at most 100 ms",
        "The amounts are public, how long it waits is not",
    ),
    HouseAnswer("max_lateness", "Kept, and does nothing", "No packet is late that was not meant to be"),
    HouseAnswer(
        "Corruption",
        "rate in a million packets, one byte or bit of each; offsets from the first byte of the frame, both included; "
        "at first rate 0, flags 4, offsets 0 and 65535",
        "The plain meaning",
    ),
    HouseAnswer(
        "What shows corruption, reorder amounts and max_lateness",
        "Nothing",
        "No readable form of them is public",
    ),
    HouseAnswer(
        "What the simulation cannot do to packets: a fixed byte, chained or no kind of corruption, two corruptions of "
        "one endpoint, playback, filters by MAC or PCAP",
        "9005 when it would act; kept while its cross-connect is stopped or its rate is 0. set_wanlink_pcap ON and "
        "playback ON are always 9005",
        "Never ignored: a test must not believe in an impairment that does not happen",
    ),
    HouseAnswer(
        "add_wl_endp, add_cx and add_wanpath with a name that is taken",
        "The one there is changed where that is possible",
        "As a script does that runs twice",
    ),
    HouseAnswer(
        "Words of add_wanpath behind playback and its file",
        "Four of YES, NO or NA, then jitter_freq, both drop amounts, both reorder amounts and max_lateness",
        "lf_ice.pl has the four; the rest in the order of set_wanlink_info",
    ),
    HouseAnswer(
        "The words of set_wanpath_filter, set_wanpath_running and rm_wanpath",
        "Endpoint and wanpath; then MAC, IP or PCAP, and source and destination as ADDRESS/BITS or ANY; or the state",
        "Public are the words, not their order",
    ),
    HouseAnswer(
        "Which wanpath a packet belongs to",
        "The one added first whose addresses it has; its settings act in place of the endpoint's. STOPPED, it has none",
        "Usual",
    ),
    HouseAnswer(
        "set_cx_state QUIESCE and SWITCH",
        "As STOPPED; SWITCH stops whatever runs on the same ports and then is RUNNING",
        "lf_icemod.pl calls it: activate named CX",
    ),
    HouseAnswer(
        "RUNNING on ports where another cross-connect runs; removing an endpoint that a cross-connect has; "
        "a cross-connect of two ports that are not a path",
        "9004",
        "It would be two wanlinks in one place, or half a one",
    ),
    HouseAnswer(
        "What show_cx and show_cxe show",
        "A line with name, test manager, state and endpoints; show_cxe the endpoints, too",
        "Nothing is public about wanlinks in them",
    ),
    HouseAnswer(
        "Rx Dropped Bytes, and what is not counted",
        "The line is left out; backlog, current rates and failed packets are 0",
        "The data plane counts packets, and measures no rate",
    ),
    HouseAnswer(
        "The counters of an endpoint",
        "Those of all that came in at its port, its wanpaths together, whether it was running or not",
        "The data plane counts by port",
    ),
    HouseAnswer(
        "show_endpoint, which is cached",
        "The settings of now, the counters of the last nc_show_endpoint",
        "Public is that nc_show_endpoint is the one that is not",
    ),
    HouseAnswer(
        "set_endp_flag, set_endp_report_timer, set_cx_report_timer",
        "Taken; the timer is shown and does nothing",
        "The vendor's scripts set them",
    ),
    HouseAnswer("A data plane that cannot, or has failed", "9005; nothing has changed", "The plain meaning"),
)
"""Every choice that this simulation makes on its own."""
