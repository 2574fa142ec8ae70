"""What shall happen, as frozen objects: rack, scenario, timeline, and the documents of a run. Files in, values out."""
