"""What the owner configured: one YAML file, checked whole before anything starts."""
