"""What exists: frozen dataclasses that a scenario file fills. No I/O, no third-party import.

Every class here is one section or one part of a scenario file, every field one key of it; the
field's docstring is its line in the JSON Schema and in the reference pages.
"""
