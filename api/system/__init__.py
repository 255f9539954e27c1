"""Health, readiness, figures for Prometheus, documentation."""
