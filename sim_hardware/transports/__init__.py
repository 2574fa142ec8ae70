"""What appliances are reached over: listeners and a reactor for all, a package for each protocol that carries SCPI."""
