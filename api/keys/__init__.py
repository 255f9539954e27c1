"""Keys of the API: for admins, and for each caller its own."""
