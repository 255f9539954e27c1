"""Images changed at random while a network is trained: on their device, a batch at a time, drawn by seed and step alone."""
