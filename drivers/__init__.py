"""Talk to impairment appliances: the vocabulary, the links and the drivers."""
