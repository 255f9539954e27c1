"""What may be wrong with a service, looked at piece by piece and told in words that say what to do."""
