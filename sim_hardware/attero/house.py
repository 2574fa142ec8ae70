"""HOUSE ANSWERS of the simulated Attero-100G: what no public text says about the box, and what the simulation does.

Nothing here is vendor behaviour. What is documented is in `values`, `corruption` and `api`, with its source.
"""

from impairlab.sim_hardware.house import HouseAnswer
from impairlab.sim_hardware.rest.refusals import HouseRefusal

BAD_BODY = HouseRefusal("A body that is not JSON, or no object", "400 SerializationException", "As of the rest", 400)
BAD_VALUE = HouseRefusal(
    "Which texts come with which status",
    "400 ArgumentException for every value that is not legal; the text is the documented one where there is one",
    "The status and the texts are in print, their pairing is not",
    400,
)
UNAUTHORISED = HouseRefusal(
    "A wrong password; no AuthToken or one that is not known",
    "401 Unauthorized",
    "The plain meaning of the status",
    401,
)
NO_RESOURCE = HouseRefusal("A path that does not exist", "404 NotFound", "The plain meaning of the status", 404)
NO_METHOD = HouseRefusal(
    "A method that a path has not got", "405 MethodNotAllowed", "The plain meaning of the status", 405
)
NOT_DONE = HouseRefusal(
    "What the simulation cannot do to packets: symbol errors, filters by bytes or from a file, packet capture, filters "
    "from a capture, choice of the physical port, the seed time, the script recorder",
    "501 NotImplementedException; nothing has changed. The settings of symbol errors are kept while disabled",
    "Never ignored: a test must not believe in an impairment that does not happen",
    501,
)
NOT_READY = HouseRefusal(
    "Statistics just after they were reset",
    "503 ServiceUnavailable",
    "Only with the fault `StatisticsNotReady`",
    503,
)
PLANE_FAILED = HouseRefusal("A data plane that has failed", "500 Exception", "The plain meaning of the status", 500)

ERROR_CODES = {
    BAD_BODY: "SerializationException",
    BAD_VALUE: "ArgumentException",
    UNAUTHORISED: "Unauthorized",
    NO_RESOURCE: "NotFound",
    NO_METHOD: "MethodNotAllowed",
    NOT_DONE: "NotImplementedException",
    NOT_READY: "ServiceUnavailable",
    PLANE_FAILED: "Exception",
}

CHOICES = (
    HouseAnswer(
        "The body of a refusal",
        "ResponseStatus with ErrorCode and Message; the ErrorCode is the reason phrase, too",
        "400 ArgumentException is in print, and ?format=json beside .json is how ServiceStack answers",
    ),
    HouseAnswer(
        "The body of a success",
        "The setting as it is now, with the keys that PUT takes",
        "Nothing is public; this is what proves it",
    ),
    HouseAnswer("An unknown key in a body", "400; AuthToken is legal everywhere", "Ignoring it would hide a mistake"),
    HouseAnswer(
        "Repeated or Repeater, about which the quickcalls disagree",
        "Repeated; Repeater is an unknown key",
        "Its own help",
    ),
    HouseAnswer(
        "Which port is which direction", "Port1: what comes in there goes a-b; Port2: b-a", "One path with two ends"
    ),
    HouseAnswer(
        "Which position is the default profile",
        "7; an option of the constructor",
        "In the Attero's keyword language flow 7 is the one that takes the rest",
    ),
    HouseAnswer(
        "The order of the profiles",
        "A packet belongs to the first enabled one from 0 on whose filter it matches",
        "Usual",
    ),
    HouseAnswer(
        "Which profiles are enabled at first",
        "The default profile alone; one without a filter matches nothing",
        "A box that has not been set lets packets pass",
    ),
    HouseAnswer(
        "The form of a filter",
        "Name Ethernet, IPv4, IPv6, ICMP, TCP or UDP and Fields of vlan.id, ip.dscp, ip.src, ip.dst, srcport, dstport; "
        "Length and SourceType are kept and mean nothing",
        "The keys are public, the names of fields are not",
    ),
    HouseAnswer(
        "The settings of a profile that nobody has touched",
        "Delay 50000, Rate 0.1%, Burst 1, Depth 1, Duration 1, Period 2; all disabled",
        "Something legal",
    ),
    HouseAnswer("The range of Depth", "1 to 32", "That of the Attero's keyword language"),
    HouseAnswer(
        "The unit of Duration and Period of duration/time",
        "Seconds; an option of the constructor",
        "The help of the quickcalls calls the period type Duration (s)",
    ),
    HouseAnswer(
        "The ranges of Duration and Period",
        "Whole numbers from 1 to 2147483647; the period counts only where Repeated is true",
        "Something that the model can hold",
    ),
    HouseAnswer("Rate", "Each packet independently with that probability", "The plain meaning"),
    HouseAnswer(
        "Burst with Continuous",
        "One burst when it is enabled, and one more at each `now`",
        "Without a period there is nothing to repeat it",
    ),
    HouseAnswer(
        "Burst with Duration or DurationPktBased",
        "A burst at the beginning of each period, or once where Repeated is false",
        "The period is all that they have in common",
    ),
    HouseAnswer(
        "now with DistributeType Rate; now while disabled",
        "400; a burst all the same",
        "A rate has no burst; `now` would be of no use otherwise",
    ),
    HouseAnswer(
        "What an errored packet is",
        "One with a wrong frame check sequence, which the data plane drops as a switch would",
        "The name, beside lost, misordered and repeated",
    ),
    HouseAnswer("What a repeated packet is", "One more copy at once", "The name"),
    HouseAnswer(
        "A jitter profile",
        "Samples: delays in ns that are added to the delay, each equally likely; CSV: one a line",
        "Nothing is public about either; that the order of a replay is kept is not simulated",
    ),
    HouseAnswer(
        "The ranges of jitter/generate",
        "Samples 2 to 1024; Distribution UNIFORM, GAUSSIAN, GAMMA or STEP; Maximum 1 to 1000000000 ns; "
        "StandardDeviation 0 to 1000000000 ns; Alpha 1 to 5",
        "Those of the Attero's keyword language, and ns as for the delay",
    ),
    HouseAnswer(
        "The names of statistics",
        "RxPackets, RxBytes, TxPackets and TxBytes of traffic, Packets of a corruption; null where the plane has none",
        "Nothing is public about them",
    ),
    HouseAnswer(
        "Where statistics are reset",
        "results/statistics/reset, .../all/reset and .../elapsed/reset: each all counters and the elapsed time",
        "The quickcall resets both at once; its path is not public",
    ),
    HouseAnswer(
        "What needs an AuthToken where there is a password",
        "All but authentication/login, instrument/information and instrument/options/features; in the body or query",
        "A client must be able to find out that it needs one",
    ),
    HouseAnswer(
        "The body of instrument/options/features",
        "Features, a list of names, Authentication among them where there is a password",
        "The name is public, the form is not",
    ),
    HouseAnswer(
        "The body of instrument/errorlog",
        "Entries of Id and Message, the last hundred; DELETE empties it",
        "The keys of the quickcalls",
    ),
    HouseAnswer(
        "Where resets are",
        "reset, resetAll and resetall behind each setting, each type and each profile; they set back what stands there",
        "The paths in print differ from type to type",
    ),
    HouseAnswer(
        "The paths of …/copy", "app/profile/{Port}/{n}/{type}/copy with SourcePort and SourcePosition", "Those keys"
    ),
    HouseAnswer(
        "delay/allocation/distribution",
        "Kept; it changes no range",
        "How much delay memory there is is not public",
    ),
)
REFUSALS = tuple(value for value in dict(globals()).values() if isinstance(value, HouseRefusal))
TABLE: tuple[HouseAnswer, ...] = (*CHOICES, *REFUSALS)
