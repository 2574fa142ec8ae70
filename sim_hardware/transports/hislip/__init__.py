"""HiSLIP 1.0: two TCP connections a client, one for messages and one for what cannot wait (IVI-6.1)."""
