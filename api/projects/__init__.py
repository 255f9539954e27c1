"""Projects, for admins: who uses how much."""
