"""HOUSE ANSWERS of the simulated LANforge: what no public text says about the box, and what the simulation does there.

Nothing here is vendor behaviour. What is public is in `commands`, with its source.
"""

from impairlab.sim_hardware.house import HouseAnswer

PROMPT = "default@btbits>> "
WELCOME = "LANforge-ICE (simulated)"
DEFAULT_BPS = 1_000_000_000
DEFAULT_BUFFER = 256_000
REORDER_HOLD_MS = 100
NO_SUCH, BAD_VALUE, NOT_DONE, UNKNOWN, IN_USE, FAILED = 1, 2, 3, 4, 5, 6

TABLE = (
    HouseAnswer("What is said before the first prompt", WELCOME, "It must not be taken for the vendor's"),
    HouseAnswer(
        "Codes of RSLT other than 0",
        f"{NO_SUCH} no such thing, {BAD_VALUE} an argument, {NOT_DONE} what cannot be done to packets, {UNKNOWN} no "
        f"such command, {IN_USE} a name that is taken, {FAILED} the data plane; a line before it says why, and nothing "
        "has changed",
        "Only the form of the line is public",
    ),
    HouseAnswer(
        "What `brief` is at first", "1: results are not told until `set_flag brief 0`", "Clients send that first"
    ),
    HouseAnswer(
        "What there is at first",
        "For path i of the plane the WanLink wl<i> with endpoints wl<i>-A and wl<i>-B, RUNNING, 1 Gbit/s and no more",
        "So that packets pass as they are",
    ),
    HouseAnswer(
        "Which packets an endpoint impairs",
        "-A those from a to b of the path, -B the others; of endpoints that were added, the first of add_cx is -A",
        "No direction among the commands",
    ),
    HouseAnswer(
        "Which path a WanLink that was added is on",
        "That of its resource's number",
        "A resource has ports, a plane has paths",
    ),
    HouseAnswer("A WanLink that does not run", "Lets no packet through, either way", "It forwards only while it runs"),
    HouseAnswer(
        "SWITCH and QUIESCE", "RUNNING, with every other WanLink of the path stopped; and STOPPED", "Their names"
    ),
    HouseAnswer(
        "max_jitter and jitter_freq",
        "Every packet is late by 0 to max_jitter more, evenly, and in order; jitter_freq between 0 and 1000000 is not "
        "done",
        "A jitter cannot let packets arrive early; a mixture of two delays has no place in the engine",
    ),
    HouseAnswer(
        "drop_freq with min_drop and max_drop",
        "The share of packets at which a burst of so many begins; 0 is taken for 1",
        "At least and at most so many in a row, says the help",
    ),
    HouseAnswer(
        "reorder_freq with min_reorder and max_reorder",
        f"A packet that is hit lets so many pass, at most {REORDER_HOLD_MS} ms long; 1 to 10 unless told",
        "The defaults are public; a packet that nothing follows must come at last",
    ),
    HouseAnswer("dup_freq", "One more copy, at once", "The plain meaning"),
    HouseAnswer(
        "The speed, and extra_buffer",
        "A line, of which a frame takes its length; extra_buffer KiB wait for it, or 256 kB for -1; from 1 Gbit/s "
        "on it limits nothing",
        "The plain meaning; a buffer that is chosen by the box is not public",
    ),
    HouseAnswer("max_lateness", "Kept and of no effect", "No packet is late here without being told"),
    HouseAnswer(
        "pcap, set_wanlink_pcap, wanpaths", "Not done", "Nothing is captured or played back; one flow a direction"
    ),
    HouseAnswer(
        "Latency and jitter in microseconds, `1500us`",
        "Shown as they are: ms where they are whole ms, else us",
        "Shown in ms in the published sample, of which every value is whole",
    ),
    HouseAnswer(
        "The rate of set_wl_corruption", "Packets per million; 0 takes the corruption away", "As every other frequency"
    ),
    HouseAnswer(
        "The offsets of set_wl_corruption",
        "Count from the first byte of the frame, both ends included",
        "The plain meaning",
    ),
    HouseAnswer(
        "Flags of set_wl_corruption",
        "One of 1, 4 and 8, with 0x20 or without; 2 and 0x10 are not done, nor a second corruption of an endpoint",
        "A fixed byte and a chain have no place in the engine",
    ),
    HouseAnswer(
        "The counters",
        "What a plane counts, 0 for what it does not; they go on when a WanLink stops, until clear_endp_counters",
        "Their names are public",
    ),
    HouseAnswer("Time and Current behind each Total", "60s, and 0", "Nothing reads them"),
)
"""Every choice that this simulation makes on its own."""
