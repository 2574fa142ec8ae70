"""Discovery: what instruments there are, on the network, on USB and at serial ports; one module for each means."""
