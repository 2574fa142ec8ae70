"""HOUSE ANSWERS of the simulated NE-ONE: what no public text says about the box, and what the simulation does there.

Nothing here is vendor behaviour. What is public is in `commands` and `modules`, with its source.
"""

from impairlab.sim_hardware.house import HouseAnswer

HOLD_MS = 100

TABLE = (
    HouseAnswer("The TCP port", "A free one, or the one that is asked for", "It is a setting of the real box"),
    HouseAnswer(
        "Which users there are", "lab with an empty password, unless the constructor has others", "Somebody must"
    ),
    HouseAnswer(
        "The words behind --error",
        "What was wrong; `Unable to find user session` and `... in use ...` are public, no other is",
        "Clients look for those two",
    ),
    HouseAnswer(
        "How long a session lasts",
        "For ever, or as long as the constructor says",
        "That it expires is public, not when",
    ),
    HouseAnswer(
        "When the connection is closed", "By the client; another command on it is answered, too", "Nothing says"
    ),
    HouseAnswer(
        "What there is at first",
        "Emulation 1, running, with two virtual interfaces for each path of the plane: 1 impairs a-b of the first and "
        "2 b-a, 3 and 4 the second, and so on",
        "So that packets pass as they are",
    ),
    HouseAnswer(
        "The modules that an interface has at first",
        "Those that the published client gives every one, neutral",
        "It calls them mandatory",
    ),
    HouseAnswer(
        "A module with a number that is there",
        "Takes its place",
        "The published client sets a delay twice without removing one",
    ),
    HouseAnswer("An interface that was added with --addVi", "Carries no packets", "Ports and routes are not simulated"),
    HouseAnswer("An emulation that does not run", "Lets no packet through", "It routes, and then it does not"),
    HouseAnswer(
        "Fields of --getemulations",
        "id, name, running (1 or 0), notes, default (1 or 0), user, start time, update time",
        "The sample has their names, one too few",
    ),
    HouseAnswer("Limits of delays", "0 to 10 s", "Memory is bounded"),
    HouseAnswer("Random_Delay", "In ms; even between both ends; packets stay in order", "The sample calls it latency"),
    HouseAnswer(
        "Step_Delay_Packet_Nanoseconds",
        "In ns; equal ends are a constant delay, others are refused",
        "How it steps is not public",
    ),
    HouseAnswer(
        "Random_Drop_with_Burst",
        "The percentage is that of packets at which a burst begins, of so many packets, each number as likely",
        "One of two readings; the other is a long-run share",
    ),
    HouseAnswer("Random_Packet_Corrupt", "One bit of what the frame carries", "What it damages is not public"),
    HouseAnswer(
        "Packet_Move_and_Duplicate",
        "Duplicate_Packet more copies at once; with a move it is refused",
        "Where a copy is moved to is not public",
    ),
    HouseAnswer(
        "Random_Packet_Move_Offset",
        f"A packet that is hit lets so many pass, at most {HOLD_MS} ms long",
        "One that nothing follows must come at last",
    ),
    HouseAnswer(
        "Linkspeed_and_FIFO_Queue_Bytes",
        "Link_Speed in bit/s, 0 for none; Overhead is added to a packet of layer 3 and must be 14 or 38; "
        "Congestion_PCT and TTL_Cost must be 0",
        "The engine counts frames, or all that they take on the line",
    ),
    HouseAnswer("Fragment_MTU", "Refused unless MTU_Limit is 0", "Fragments have no place in the engine"),
    HouseAnswer(
        "Debug, Generic_Filter, the routings and a module without a name",
        "Kept and shown, of no effect",
        "They say where packets go, which the plane does",
    ),
    HouseAnswer("--portModule and --delPortModule", "Refused", "Ports are the plane's"),
    HouseAnswer("A data plane that cannot, or has failed", "--error; nothing has changed", "The plain meaning"),
)
"""Every choice that this simulation makes on its own."""
