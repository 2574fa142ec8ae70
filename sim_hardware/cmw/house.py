"""HOUSE ANSWERS of the simulated CMW: what no public text says about the box, and what the simulation does.

Nothing here is vendor behaviour. What is public is in `device`, with its source.
"""

from impairlab.sim_hardware.house import HouseAnswer

MOST_PORTS = 64
MOST_MILLISECONDS = 274_000
HIGHEST_PORT = 65_535

TABLE = (
    HouseAnswer(
        "The unit of DELay and JITTer",
        "Milliseconds; a suffix is refused with -138",
        "A usual one for delays; SCPI's own would be the second",
    ),
    HouseAnswer("The range of DELay and JITTer", "0 to 274000, rounded to 0.001; 0 at first", "That of tc-netem"),
    HouseAnswer(
        "The unit and range of PLRate, CRATe, DRATe and RRATe",
        "Percent, 0 to 100, rounded to 0.0000001; 0 at first",
        "That of tc-netem",
    ),
    HouseAnswer("JDIStribut at first", "NORMal", "The first of its words"),
    HouseAnswer("The reply to ENABle?", "1 or 0", "SCPI-1999; the vendor's client takes that and ON or OFF"),
    HouseAnswer(
        "What IPADdress may be",
        'An IPv4 or IPv6 address, or "" for every address, as at first; else -224',
        "Something must stand for all",
    ),
    HouseAnswer(
        "The range of PRANge",
        "0 to 65535, as at first, which is every packet; else at most 64 ports, of TCP and UDP; else -221 when enabled",
        "The data plane tells single ports apart, and each costs it a flow",
    ),
    HouseAnswer(
        "Which packets an entry takes",
        "Both directions of what the address and ports serve on side b: the destination a-b, the source b-a",
        "A server behind the DAU, and no direction among the commands",
    ),
    HouseAnswer(
        "The order of the entries", "A packet belongs to the first enabled one from 1 on that takes it", "Usual"
    ),
    HouseAnswer(
        "What MEASurement<i> is",
        "Path i of the plane; -114 where there is none",
        "An instance of its own impairs its own",
    ),
    HouseAnswer("When a setting takes effect", "At once where the entry is enabled", "No command that would apply it"),
    HouseAnswer(
        "JITTer", "The spread of the model's distribution; packets may overtake; 0 is a constant delay", "As tc-netem"
    ),
    HouseAnswer(
        "JITTer above DELay with UNIForm", "-221 when enabled; nothing has changed", "It would be a negative delay"
    ),
    HouseAnswer(
        "PNORmal",
        "0.25 of the normal quantile and 0.75 of the Pareto one",
        "So does the table paretonormal of iproute2",
    ),
    HouseAnswer("CRATe", "One bit of a packet that is hit", "As tc-netem"),
    HouseAnswer("DRATe", "One more copy of a packet that is hit", "As tc-netem"),
    HouseAnswer(
        "RRATe", "A packet that is hit waits for the next one of its flow, at most 100 ms", "The plain meaning"
    ),
    HouseAnswer("*RST", "Every entry as at first, disabled", "IEEE 488.2"),
    HouseAnswer(
        "What else it understands",
        "The common commands, SYSTem and STATus of the reference dialect",
        "One SCPI core; the rest of a CMW is not simulated and answers -113",
    ),
    HouseAnswer("A data plane that cannot, or has failed", "-241, or -240; nothing has changed", "SCPI-1999"),
)
"""Every choice that this simulation makes on its own."""
