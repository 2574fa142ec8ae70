"""Test-suites to inherit: what every link and every driver must do. Needs pytest."""
