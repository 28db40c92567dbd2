"""Counts in messages and reports."""


def counted(count: int, noun: str) -> str:
    """So many of something, in English.

    Examples:
        >>> counted(1, "customer"), counted(1200, "customer")
        ('1 customer', '1,200 customers')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
