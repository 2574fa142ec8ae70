"""The words of the report and what they mean here, for a reader who was not at the run."""

from .view import Definition

TERMS = (
    Definition("PASS", "", "Were the claim false, data this good would have a chance of 2.5 % at most."),
    Definition("FAIL", "", "Were the claim true, data this bad would have a chance of 2.5 % at most."),
    Definition("INCONCLUSIVE", "", "Neither; the verdict says about how many requests would settle it."),
    Definition(
        "INVALID",
        "",
        "The measurement was not sound: the generator kept its plan too badly, or the run or the phase was cut short. "
        "Nothing is said about the service.",
    ),
    Definition(
        "phase of a request",
        "",
        "The one in which it was planned, whenever it finished. There is no guard band: requests near a change of "
        "conditions count like all others, since what happens there is what the run is made to show. So the last "
        "requests of a phase may feel the next one; the phase table counts those that outlasted their phase.",
    ),
    Definition(
        "latency in a verdict",
        "",
        "Counted from the planned instant: a verdict on ttft or e2e rests on ttft_sched or e2e_sched.",
    ),
    Definition(
        "failure",
        "",
        "A request without a whole answer within its time limit. In every latency it counts as infinitely late, "
        "written “never”.",
    ),
    Definition(
        "95 % interval",
        "",
        "Of a quantile: between two order statistics, without assuming a distribution. Of a difference: percentile "
        "bootstrap over requests. Of a failure rate: Wilson. Requests are taken as independent.",
    ),
    Definition("margin", "", "The limit less what was measured; negative beyond the limit."),
    Definition(
        "planned, sent, acknowledged",
        "",
        "When a step was meant to happen, when the first byte of its first write left, and when the appliance's last "
        "acknowledgement arrived. In between the old or the new conditions may hold.",
    ),
)
