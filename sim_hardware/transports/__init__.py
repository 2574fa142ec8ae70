"""Servers that carry SCPI messages over what knows where a message ends: one package a protocol."""
