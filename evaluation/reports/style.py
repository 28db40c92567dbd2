"""How all reports look: fonts and colours."""

FONTS = "system-ui, 'Hiragino Sans', 'Yu Gothic', 'Noto Sans CJK JP', 'Noto Sans JP', Meiryo, 'Segoe UI', sans-serif"
COLOURS = ("#0b5cad", "#c25700", "#00795c", "#8f4d89", "#6b6b6b")
"""Told apart by readers who do not see red or green, and darker than 4.5:1 on white (after Okabe and
Ito 2008)."""
