"""One run: a scenario on a rack, from the first check to a closed record and a verdict."""
