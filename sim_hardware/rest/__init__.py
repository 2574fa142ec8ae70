"""What simulated appliances with a REST interface share: JSON bodies, routes, house answers, the way to the plane."""
