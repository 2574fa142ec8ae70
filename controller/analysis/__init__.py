"""From records to verdicts: metrics, quantiles with intervals, and decisions. Pure: no I/O, no clock."""
