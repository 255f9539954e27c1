"""A seeded storm: the service as real processes, small jobs of every kind that run on it, faults at random instants, and what must hold afterwards.

``rig`` has the processes, ``jobs`` what runs, ``faults`` what may happen (each kind in a module of its own), ``plan`` what does happen and
when, by a seed, ``storm`` does it, ``checks`` looks for what was lost, done twice or left over, and ``report`` says so.
"""
