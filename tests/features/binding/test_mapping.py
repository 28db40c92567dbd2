"""Contract: canonical columns are tied to the source's, by name or by expression, and what is missing is named."""

from features.binding.tables import bind
from features.catalogue.tables import TABLES
from features.settings import Settings, TableSettings
from tests.features.binding.binds import NOW, failed, lines, make, write


def test_missing_required_columns_are_named_with_what_there_is(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", header="who,when,amount"))
    message = failed(make(tmp_path))
    assert message.startswith("orders.customer_id is required and not bound: orders.csv has")
    assert "who, when, amount" in message
    assert message.endswith("(and 1 more problem)")


def test_derived_expressions_are_checked_as_customers(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    assert failed(
        make(tmp_path, customers=TableSettings(derive="orders", columns={"country": "Lnad"}))
    ).startswith("customers.country")
    message = failed(
        make(tmp_path, customers=TableSettings(derive="orders", columns={"employees": "customer_id"}))
    )
    assert message.startswith("customers.employees: 1 of 1 values are not a number")
    assert "leave it out" in failed(
        make(tmp_path, customers=TableSettings(derive="orders", columns={"customer_id": "customer_id"}))
    )


def test_every_canonical_table_binds_by_its_own_names(tmp_path):
    values = {"id": "x1", "text": "word", "time": "2024-01-05", "number": "2", "flag": "true"}
    bound = {}
    for table in TABLES.values():
        header = ",".join(column.name for column in table.columns)
        row = ",".join(
            "JPY" if column.name == "currency" else values[column.kind.value] for column in table.columns
        )
        write(tmp_path, lines(row, header=header), f"{table.name}.csv")
        bound[table.name] = TableSettings(source=f"{table.name}.csv")
    settings = Settings(currency="JPY", tables=bound, path=tmp_path / "tokui.toml")
    with bind(settings, now=NOW) as tables:
        assert tables.names == tuple(TABLES)
        for table in TABLES.values():
            described = tables.connection.execute(f"DESCRIBE {table.name}").fetchall()
            assert [row[:2] for row in described] == [
                (column.name, column.kind.sql) for column in table.columns
            ]
