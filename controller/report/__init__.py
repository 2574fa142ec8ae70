"""The report: what a run folder says, as one self-contained page, a verdict file and a JUnit file."""
