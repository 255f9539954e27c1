"""Claims steps, supervises the engine on a device, and writes what comes out. ``python -m worker`` starts it on a machine."""
