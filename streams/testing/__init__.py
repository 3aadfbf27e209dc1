"""In-memory implementations of the ports, for tests; no setting can choose one."""
