"""How all reports look: fonts and colours, of pages and pictures alike."""

FONTS = "system-ui, 'Hiragino Sans', 'Yu Gothic', 'Noto Sans CJK JP', 'Noto Sans JP', Meiryo, 'Segoe UI', sans-serif"
COLOURS = ("#0b5cad", "#c25700", "#00795c", "#8f4d89", "#6b6b6b")
"""Told apart by readers who do not see red or green, and darker than 4.5:1 on white (after Okabe and
Ito 2008)."""
INK, GREY, GRID = "#3b4250", "#8a8f98", "#e6e8ec"
"""Letters, axes and the lines behind a picture."""
PALE = "#b9d3ee"
"""A range."""
DASHES: tuple[tuple[int, int], ...] = ((1, 0), (6, 3), (2, 3), (9, 2), (4, 4))
"""Of lines, so that they are told apart without colours, too."""
