"""Decide what happens when, record it and judge it."""
