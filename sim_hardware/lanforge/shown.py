"""What the box shows of endpoints and cross-connects.

Source: the outputs in the comments, and the patterns, of LANforge/Endpoint.pm in greearb/lanforge-scripts @0175c2c.
"""

from collections.abc import Iterator, Mapping

from impairlab.drivers.model import Statistics
from impairlab.sim_hardware.lanforge.box import CrossConnect, Endpoint
from impairlab.sim_hardware.lanforge.house import MANAGER
from impairlab.sim_hardware.lanforge.settings import shown_time

_SECOND_NS = 1_000_000_000
_HEADINGS = "   Name    RxPkts  RxBytes Dropped MaxRate(bps) Latency Backlog TxPkts TxBytes"


def endpoint_lines(
    endpoint: Endpoint, cross: CrossConnect | None, counts: Mapping[int, Statistics], now_ns: int
) -> Iterator[str]:
    """Yield what nc_show_endpoint shows."""
    since_ns = None if cross is None else cross.since_ns
    settings = endpoint.settings
    yield f"WanLink [{endpoint.name}] ({'NOT_RUNNING' if since_ns is None else 'RUNNING'})"
    yield f"     Shelf: 1, Card: 1  Port: {endpoint.port}  Endpoint: {endpoint.number}  Type: WAN_LINK"
    yield f"     Description: {endpoint.description}"
    yield (
        f"     MaxTxRate: {settings.max_rate}bps  Latency: {shown_time(settings.latency)}"
        f"  MaxJitter: {shown_time(settings.max_jitter)}"
    )
    yield (
        f"     DropFreq: {settings.drop_freq}  DupFreq: {settings.dup_freq}  ReorderFreq: {settings.reorder_freq}"
        f"  ExtraBuf: {settings.extra_buffer}KB"
    )
    running_s = 0 if since_ns is None else (now_ns - since_ns) // _SECOND_NS
    yield (
        f"     RptTimer: {endpoint.report_ms}ms  RunningFor: {running_s}s  StopIn: 0s  MaxBuf: {settings.buffer_bytes}B"
    )
    yield f"     Cur Backlog: 0  Real Tx Rate: 0bps  WanPaths: {len(endpoint.paths)}"
    yield f"     JitterFreq: {settings.jitter_freq}  RecordQ: 0  Dump File: "
    yield f"     MinDropAmt: {settings.min_drop_amt}  MaxDropAmt: {settings.max_drop_amt}"
    yield from _counter_lines(counts)
    yield ""
    yield _HEADINGS
    for path in endpoint.paths.values():
        of_it = counts.get(path.number) or Statistics(at_ns=now_ns)
        yield (
            f"   {path.name}  {of_it.received_packets or 0}  {of_it.received_bytes or 0}  {of_it.dropped_total or 0}"
            f"  {path.settings.max_rate}  {shown_time(path.settings.latency).removesuffix('ms')}  0"
            f"  {of_it.forwarded_packets or 0}  {of_it.forwarded_bytes or 0}"
        )


def _counter_lines(counts: Mapping[int, Statistics]) -> Iterator[str]:
    for label, name in (
        ("Rx Pkts:", "received_packets"),
        ("Rx Bytes:", "received_bytes"),
        ("Tx OOO Pkts:", "reordered"),
        ("Rx Dropped Pkts:", "dropped_total"),
        ("Tx Duplicate Pkts:", "duplicated"),
        ("Tx Pkts:", "forwarded_packets"),
        ("Tx Bytes:", "forwarded_bytes"),
        ("Tx Failed Pkts:", None),
        ("Tx Failed Bytes:", None),
    ):
        total = 0 if name is None else sum(getattr(each, name) or 0 for each in counts.values())
        yield f"       {label:<18} Total: {total:<11} Time: 300000ms    Current: 0"


def cross_line(cross: CrossConnect) -> str:
    """Return the line of show_cx."""
    return f"CX: {cross.name}  TestMgr: {MANAGER}  State: {cross.state}  Endpoints: {' '.join(cross.ends)}"
