"""VXI-11: an instrument behind ONC RPC, found by a broadcast to its port mapper (VXI-11 revision 1.0)."""
