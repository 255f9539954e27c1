"""Files of a trained network, each compared with it before it is offered, and its card."""
