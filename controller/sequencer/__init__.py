"""Acts on a timeline: conditions on an absolute schedule, in step with traffic, and back to how it was."""
