"""The shapes of bodies and answers, one module a resource: bodies first, then answers.

A field with a default is optional: `convert.py` leaves it out of an answer while it has it.
"""
