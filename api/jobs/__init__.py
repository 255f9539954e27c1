"""What searches and trainings share: their state and steps, events and metrics, and what can be done to them."""
