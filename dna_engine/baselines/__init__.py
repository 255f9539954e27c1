"""Other ways to rate networks, for comparison; no search uses them."""
