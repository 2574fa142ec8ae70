"""The vocabulary: frozen values, units, capabilities and errors. No I/O and no logging."""
