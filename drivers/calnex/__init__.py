"""Drivers of appliances that Calnex sells and that are programmed over REST: SNE and Attero-100G."""
