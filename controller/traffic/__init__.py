"""Open-loop inference traffic: what to send, the process that sends it, and one record per request."""
