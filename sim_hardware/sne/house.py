"""HOUSE ANSWERS of the simulated SNE: what no public text says about the box, and what the simulation does there.

Nothing here is vendor behaviour. What is documented is in `resources` and `api`, with its source.
"""

from impairlab.sim_hardware.house import HouseAnswer
from impairlab.sim_hardware.rest.refusals import HouseRefusal

CODE_OFFSET = 9000
"""Added to the HTTP status to make the `code` of a refusal: far from 1201, the one code that is public."""

CODES = HouseAnswer(
    "What a refusal looks like",
    "An HTTP status of 400 or more and {code: 9000 + that status, message: why}",
    "Only 1201 is public; a code that is plainly none of the vendor's cannot be mistaken for one",
)
BAD_BODY = HouseRefusal("A body that is not JSON, or no object", "400", "The plain meaning of the status", 400)
BAD_VALUE = HouseRefusal(
    "A value out of range, an unknown key, or settings that contradict each other",
    "400, and nothing has changed",
    "The ranges are public, what is done about them is not; no value is ever moved",
    400,
)
NO_RESOURCE = HouseRefusal("A path that does not exist", "404", "The plain meaning of the status", 404)
NO_METHOD = HouseRefusal("A method that a path has not got", "405", "The plain meaning of the status", 405)
NO_MAP = HouseRefusal("A map that was never uploaded", "404", "The plain meaning of the status", 404)
NO_IMPAIRMENT = HouseRefusal(
    "An impairment that the map has not got, or of another type than the resource", "404", "As for a map", 404
)
AMBIGUOUS = HouseRefusal(
    "A name that two impairments of a map share",
    "409; the GUID is never ambiguous",
    "Guessing would impair one of two",
    409,
)
NOT_LOADED = HouseRefusal(
    "Starting a map that is not loaded", "409", "It conflicts with the state of the map, which is what 409 means", 409
)
WRONG_STATE = HouseRefusal(
    "Stopping what does not run; unloading or deleting what does", "409", "As for starting too early", 409
)
NAME_TAKEN = HouseRefusal(
    "Uploading a map under a name that is taken", "409", "The manual wants names to be unique and says no more", 409
)
BAD_MAP = HouseRefusal("A map that cannot be read", "400", "The plain meaning of the status", 400)
RESERVED = HouseRefusal(
    "Loading, starting or changing a map on ports that another user has reserved",
    "409, with the name of the user",
    "Reservation would mean nothing otherwise; a driver must be able to tell who holds a port",
    409,
)
IN_USE = HouseRefusal(
    "Loading a map on ports that a running map uses", "409", "A port cannot be in two graphs at once", 409
)
UNAUTHORISED = HouseRefusal(
    "No token, an unknown one or one that has expired; a wrong user or password", "401", "Bearer, RFC 6750", 401
)
NOT_DONE = HouseRefusal(
    "What the simulation cannot do to packets: ethfragmentation, packetcounting, trafficgen, rangeThrottleMode, timed "
    "and complex duplication, a throttle with time constraints, a gaussian floor that matters, unequal displacements, "
    "two enabled impairments of one kind between the same ports",
    "501 when it is enabled in a running map or a map with it is started; nothing has changed. Disabled, it is kept",
    "Never ignored: a test must not believe in an impairment that does not happen",
    501,
)
NOT_READY = HouseRefusal(
    "Statistics just after they were cleared", "503", "Only with the fault `StatisticsNotReady`", 503
)
FULL = HouseRefusal("More than 64 maps, or 16 capture files, or a file beyond 1 MB", "507", "Memory is bounded", 507)
NO_FILE = HouseRefusal("A capture file that is not there", "404", "As for a map", 404)
PLANE_FAILED = HouseRefusal("A data plane that has failed", "500", "The plain meaning of the status", 500)

CHOICES = (
    CODES,
    HouseAnswer(
        "The schema of a map",
        "JSON: mapName, format 'impairlab-1' and links, each with from, to (ports from 0) and disruptors, each with "
        "name and type. XML: the same as elements map, link and disruptor with attributes",
        "The vendor's schema is not public; this is the least that names ports and disruptors",
    ),
    HouseAnswer(
        "The type names other than PacketDelayDisruptor, JitterDisruptor and BandwidthThrottleDisruptor",
        "PacketDropDisruptor, PacketDuplicationDisruptor, PacketReorderDisruptor, BitErrorDisruptor, "
        "EthernetFragmentationDisruptor, PacketCountingFilter, TrafficGenerator",
        "By the pattern of those that are public; newer firmware lists PacketDelay and PacketDropCorruptor, "
        "and the rest as before",
    ),
    HouseAnswer(
        "What markovDropMode does, and whether 6.1 has it",
        "Gilbert-Elliott: in low loss packets are dropped with lowLossDropProbability and it is left with "
        "lowLossTransProbability, in high loss likewise; all in percent; every firmware has it",
        "A log of a newer box has the four names and no more",
    ),
    HouseAnswer(
        "Which ports are a path",
        "Ports 0 and 1 are the first path of the plane, 2 and 3 the second; from the even one is a-b",
        "A plane has paths and a map has ports",
    ),
    HouseAnswer(
        "The keys of the settings of a mode other than those of delay and packetdrop",
        "packetReorderSettings or packetReorderModeSettings, and so on; answers have the first",
        "Both patterns are public: packetDropSettings beside packetDropMode, delayModeSettings beside delayMode",
    ),
    HouseAnswer(
        "Keys about which the manual contradicts itself",
        "maxLatency is taken for the meanLatency of gaussianDelayMode, minDisplacement and maxDisplacement for the "
        "distances of distanceReorderMode; answers have the first name",
        "Both spellings are in print",
    ),
    HouseAnswer(
        "The answer of GET to a setting",
        "The settings with status {code, message} and updatePending beside them; on newer firmware under a key like "
        "packetDrop. A PUT may have them either way",
        "A log has packetDrop and the list of maps has its status like this; the other keys are by the same pattern",
    ),
    HouseAnswer(
        "A PUT that leaves keys out",
        "They keep their values; status and updatePending are taken and forgotten",
        "So that what GET answers can be put back",
    ),
    HouseAnswer(
        "The meaning of updatePending",
        "true until the change has reached the data plane",
        "It is the only reading under which polling it is of use",
    ),
    HouseAnswer(
        "Booleans as strings",
        "'true' and 'false' are taken for true and false",
        "The sample client of the vendor sends them so",
    ),
    HouseAnswer(
        "…/delay&userToken=x, as the manual writes it",
        "Taken for …/delay?userToken=x",
        "It is in print, and a name with & in it is not worth more",
    ),
    HouseAnswer(
        "The unit of latency and jitter",
        "ms",
        "The start delay and the duration beside them are in ms",
    ),
    HouseAnswer(
        "The unit of bandwidth, which the manual gives as bytes and with an example outside of its own range",
        "bytes per second; an option of the constructor",
        "The word bytes, and a rate",
    ),
    HouseAnswer("What jitterPcnt does", "Uniform, latency ± that share of it", "The plain meaning"),
    HouseAnswer(
        "What the jitter disruptor does",
        "Uniform from 0 to jitter, on top of a constant delay between the same ports",
        "A jitter alone cannot let packets arrive earlier",
    ),
    HouseAnswer(
        "biterror with erroredBits in totalBits",
        "Each bit begins an error with probability 1 in totalBits, and erroredBits bits of the packet are flipped",
        "Where in the interval the errors lie is not public",
    ),
    HouseAnswer("simpleMode of packetduplication", "Every packet twice", "The mode has no settings"),
    HouseAnswer("fifoSize 0", "A queue of 256 000 bytes; otherwise that many bytes", "The manual calls 0 a constant"),
    HouseAnswer(
        "What happens to packets when no map is running",
        "They pass as they are",
        "So that a test can measure its own baseline",
    ),
    HouseAnswer(
        "The state of a map that is not loaded", "Stopped", "Stopped and Active are the two states that are public"
    ),
    HouseAnswer(
        "What deleting does beyond DELETE /webui/maps",
        "200 with the code 1201; a map that runs is not deleted",
        "The sample client looks at nothing but the connection",
    ),
    HouseAnswer(
        "The nodes of /stats",
        "As in the log of a newer box, on 6.1 too. Every impairment of a link says what came in at its port; of the "
        "names in the log those that a plane counts",
        "One log is public, of a box that had seen no packet",
    ),
    HouseAnswer(
        "The body of /maps/{id}/{port} beside portStatus",
        "status, as the list of maps has it",
        "One form for all",
    ),
    HouseAnswer(
        "The bodies of /files/capturereplay",
        "captureReplayFiles, each with name and size; a form with one file, kept under the last part of its path; the "
        "file itself to download",
        "Nothing is public about them. Stored and listed only: nothing replays them",
    ),
    HouseAnswer(
        "Reservation of ports that nobody reserved",
        "Loading and changing maps needs none; reserve is refused when another user holds one of the ports",
        "6.1 without users has no way to reserve",
    ),
    HouseAnswer(
        "Uploads on newer firmware",
        "Both /maps/upload and /maps/json; on 6.1 only /maps/upload",
        "Nothing says that the old one is gone",
    ),
)
REFUSALS = tuple(value for value in dict(globals()).values() if isinstance(value, HouseRefusal))
TABLE: tuple[HouseAnswer, ...] = (*CHOICES, *REFUSALS)
