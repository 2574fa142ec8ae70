"""Stand in for appliances and for the services under test."""
