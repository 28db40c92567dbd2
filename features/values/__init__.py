"""What people write, read as what they meant: numbers, times and ids, or refused.

One grammar for all places where values come in: files and databases (`features.binding`), and the
rows an application sends with a request (`serving.predictor`). Nothing here reads a value as another
one: what could be two things is decided by a convention (`conventions`), or is not read.
"""
