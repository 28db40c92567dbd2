"""Contract: what binding found out is told in plain values."""

from features.binding.tables import bind
from tests.features.binding.binds import NOW, findings, lines, make, write


def test_report_as_json_values(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", ",2024-01-06,6"))
    with bind(make(tmp_path), now=NOW) as tables:
        report = tables.report("orders").to_dict()
    assert (report["rows_read"], report["rows_kept"], report["customers"]) == (2, 1, 1)
    assert (report["first"], report["last"]) == ("2024-01-05T00:00:00", "2024-01-05T00:00:00")
    assert report["nulls"] == {"customer_id": 0, "occurred_at": 0, "amount": 0}
    assert report["dropped"][0] == {
        "reason": "empty", "column": "customer_id", "count": 1, "example": None, "row": 2,
    }  # fmt: skip


def test_returns_repeats_and_absent_margin_are_kept_and_told(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", "a,2024-01-05,5", "a,2024-01-06,-5"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 3
        assert findings(tables) == {
            ("all bound columns", "equal to another row, kept"): 1,
            ("amount", "cancellations or returns, kept"): 1,
            ("margin", "not bound, computed as amount times ltv.margin_rate"): 0,
        }
