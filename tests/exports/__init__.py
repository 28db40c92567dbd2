"""Exports as companies have them, of our own making with the headings vendors document, and what each should become."""
