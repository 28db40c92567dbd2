"""The data dictionary's contract: the page in docs/ is what the definitions say today."""

from features.catalogue.dictionary import dictionary
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import STREAMS, TABLES
from tests.places import ROOT


def test_the_page_is_up_to_date():
    page = ROOT / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == dictionary(), (
        "run python -m features.catalogue.dictionary > docs/data-dictionary.md"
    )


def test_nothing_is_left_out():
    page = dictionary()
    for table in TABLES.values():
        assert f"## {table.name}\n" in page
        assert all(f"| `{column.name}` | {column.kind.value} |" in page for column in table.columns)
    assert all(f"| `{stream}` |" in page for stream in STREAMS)
    stems = [name.rpartition("_")[0] for name in PURCHASES.names]
    assert all(
        f"`{name}`" in page or f"`{stem}_…`" in page
        for name, stem in zip(PURCHASES.names, stems, strict=True)
    )
