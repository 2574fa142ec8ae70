"""Links: how bytes reach an appliance. One contract, one test-suite for all."""
