"""Where an identifier can be planted: one module a family of formats.

Each has functions that take a document and a Places, and add to it a name and a function for
every place of the document; the function makes the document with a text in that place.
"""
