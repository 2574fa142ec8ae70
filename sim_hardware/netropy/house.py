"""HOUSE ANSWERS of the simulated Netropy: what no public text says about the box, and what the simulation does.

Nothing here is vendor behaviour. What is public is in `forms`, `shell` and `shown`, with its source.
"""

from decimal import Decimal

from impairlab.sim_hardware.house import HouseAnswer

PROMPT = "[netropy]> "
BANNER = "Apposite Netropy (simulated)"
MOST_MS = 10_000
MOST_SECONDS = 2_147_483_647
MOST_PACKETS = 2_147_483_647
LEAST_BPS = 300
DEFAULT_LINE_BPS = 10_000_000_000
QUEUE_MS = 250
FRAME_OVERHEAD = 38
LEAST_BER, MOST_BER = Decimal("1e-18"), Decimal("9.999999e-1")

TABLE = (
    HouseAnswer("The prompt", f"`{PROMPT}`", "Clients wait for ]> and a blank"),
    HouseAnswer("Banner and message of the day", BANNER, "It must not be taken for the vendor's"),
    HouseAnswer(
        "Which users there are, and whether keys are taken",
        "admin with an empty password; public keys only where the constructor has some",
        "The account of the published examples",
    ),
    HouseAnswer(
        "What Enter, Backspace, Ctrl-C, Ctrl-D, Ctrl-U, `exit`, `quit` and `logout` do",
        "As in most shells; the last three, and Ctrl-D on an empty line, end the session",
        "Somebody must be able to leave",
    ),
    HouseAnswer(
        "Paging, and control sequences",
        "Neither, unless the constructor asks: `page_lines` stops with --More-- after so many, `ansi` colours prompts",
        "Real shells do both, and clients must bear it",
    ),
    HouseAnswer(
        "The words behind `*** Error:` and `Usage:`",
        "What was wrong, and what would be legal",
        "The two beginnings are public, and no whole message",
    ),
    HouseAnswer(
        "What `?` answers",
        "One form a line, with the limits of its numbers in parentheses",
        "That it lists help is public; limits should be there to be read",
    ),
    HouseAnswer(
        "Limits of delays", f"0 to {MOST_MS} ms, in steps of 1 ns", "That of the sister product Linktropy Mini"
    ),
    HouseAnswer("Limits of shares", "0 to 100 %, in steps of 1e-7 %", "The plain meaning"),
    HouseAnswer("Limits of bandwidths", f"{LEAST_BPS} bit/s to the line", "That of the sister product Linktropy Mini"),
    HouseAnswer(
        "The line",
        "10 Gbit/s, an option of the constructor; a bandwidth of that is shown, and limits nothing",
        "An access link that is as quick as its port does not hold packets up",
    ),
    HouseAnswer("Limits of counts of packets", f"1 to {MOST_PACKETS}", "32 bits"),
    HouseAnswer(
        "exponential LEAST MOST",
        "A floor of LEAST and, above it, an exponential with half the width as its mean; nothing is cut at MOST",
        "The two numbers of `exponential 5 10` look like those of `uniform 5 10`; an exponential law has no most",
    ),
    HouseAnswer(
        "`reordering enabled` and `disabled`",
        "Taken behind uniform, normal and exponential; disabled without it",
        "Published behind uniform; the others spread, too",
    ),
    HouseAnswer(
        "accumulate-and-burst N extra-delay D timeout T",
        "N packets, or what came within T ms of the first of them, leave together, D ms later still",
        "The plain meaning",
    ),
    HouseAnswer(
        "burst SHARE min A max B",
        "A burst begins at a packet with the probability SHARE, and is A to B packets long",
        "One of two readings; the other is a long-run share",
    ),
    HouseAnswer(
        "periodic N burst M", "M of every N packets; M above N is an error", "The plain meaning, and what can be done"
    ),
    HouseAnswer(
        "gilbert-elliott's `change`",
        "Of leaving the state, drawn for each packet",
        "As `show` calls it: Change probability",
    ),
    HouseAnswer(
        "network-outage periodic interval A-B duration C-D",
        "Seconds; up for A to B, then down for C to D; one number for a time that does not vary",
        "The intervals of the published example would be too short for packets in ms",
    ),
    HouseAnswer("duplication", "One more copy of a packet that is hit, at once", "The plain meaning"),
    HouseAnswer("`recorded`", "An error: nothing was recorded", "How a recording gets onto the box is not public"),
    HouseAnswer(
        "Which direction an access link is in",
        "From port 1 to port 2: port 1 out and port 2 in; of both the slower one acts",
        "Out of a LAN into the WAN, and out of the WAN into a LAN",
    ),
    HouseAnswer(
        "What a bandwidth is",
        f"A line, of which a frame takes 24 bytes more than its length; its queue holds {QUEUE_MS} ms",
        f"Frame Overhead {FRAME_OVERHEAD} is shown: 14 of header and 24; the queue is shown as Default ({QUEUE_MS}ms)",
    ),
    HouseAnswer(
        "What is there after power-on",
        "Every condition none, every access link not enabled, emulation off",
        "So that packets pass as they are",
    ),
    HouseAnswer(
        "How `show` words values",
        "The name of a form and its numbers in the order of `set`",
        "Public are its sections, its keys and Gilbert-Elliott",
    ),
    HouseAnswer("When a setting acts", "At once while emulation is on", "No command that would apply it"),
    HouseAnswer(
        "Cells of the statistics",
        "The first column is the time in s since the reset and has no path; types are tx_rate(bps), tx_bytes, "
        "tx_frames and drops; what a plane does not count is empty",
        "The sample parser looks for the words in them",
    ),
    HouseAnswer(
        "The rows of `interval` and `cumulative`",
        "One for each second since the reset in which somebody asked for statistics; `total` has one",
        "One a second is public; nobody keeps a clock running here that no one reads",
    ),
    HouseAnswer("How long statistics are ERROR after a reset", "1 s", "Public is: wait one second"),
    HouseAnswer("A data plane that cannot, or has failed", "An error; nothing has changed", "The plain meaning"),
)
"""Every choice that this simulation makes on its own."""
