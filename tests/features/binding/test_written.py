"""Contract: what people write is read as they meant it, whole tables of it, or refused in words that help."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.binding.tables import bind
from features.errors import TableError
from features.settings import Acceptance, IdSettings, TableSettings
from tests.features.binding.binds import NOW, failed, findings, lines, make, rows_of, write


def amounts(tmp_path, *texts, separator=",", **given):
    rows = [f'a{separator}2024-01-{k % 28 + 1:02d}{separator}"{text}"' for k, text in enumerate(texts)]
    write(tmp_path, lines(*rows, header=separator.join(("customer_id", "occurred_at", "amount"))))
    with bind(make(tmp_path, **given), now=NOW) as tables:
        return [row[0] for row in rows_of(tables, columns="amount")], tables.report("orders")


def times(tmp_path, *texts, zone="Asia/Tokyo", **given):
    write(tmp_path, lines(*(f'a,"{text}",5' for text in texts)))
    with bind(make(tmp_path, timezone=zone, **given), now=NOW) as tables:
        return [row[0] for row in rows_of(tables, columns="occurred_at")]


def test_money_in_all_manners(tmp_path):
    texts = [
        "(431.20)",
        "△431",
        "▲431",
        "−431",
        "431-",
        "1,200円",
        "１，２００",
        "JPY 1,200",
        "12.5",
        "￥9,326",
    ]
    values, report = amounts(tmp_path, *texts)
    assert values == [-431.2, -431, -431, -431, -431, 1200, 1200, 1200, 12.5, 9326]
    assert report.rows_kept == len(texts)
    assert report.totals == {"amount": pytest.approx(sum(values))}
    assert report.by_year == {"amount": {2024: pytest.approx(sum(values))}}


def test_semicolons_other_values_and_other_columns_tell_the_decimal_comma(tmp_path):
    assert amounts(tmp_path, "2,493", "999.000", separator=";")[0] == [2.493, 999000]
    assert amounts(tmp_path, "2,493", "1,5")[0] == [2.493, 1.5]
    assert amounts(tmp_path, "2,493", "1.5", separator=";")[0] == [2493, 1.5]
    write(tmp_path, lines('a,2024-01-05,"2,493","3,25"', header="customer_id,occurred_at,amount,margin"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert rows_of(tables, columns="amount, margin") == [(2.493, 3.25)]
    told = TableSettings(source="orders.csv", decimal=",")
    assert amounts(tmp_path, "2,493", orders=told)[0] == [2.493]


def test_what_nothing_tells_is_named_with_both_readings(tmp_path):
    values, report = amounts(tmp_path, "2,493", "12")
    assert values == [2493, 12]
    (note,) = [note for note in report.warnings if "could also be meant" in note.reason]
    assert (note.count, note.example) == (1, "2,493")
    assert "as 2.493, read as 2,493" in note.reason
    assert "decimal" in note.reason


def test_two_conventions_in_one_column_are_refused_with_rows(tmp_path):
    with pytest.raises(TableError, match=r"1 numbers with a decimal point \('12\.5' in row 1\) and 1 with a decimal comma \('1,25' in row 2\)"):  # fmt: skip
        amounts(tmp_path, "12.5", "1,25")


def test_a_decimal_comma_is_calculated_with_as_one(tmp_path):
    write(tmp_path, "customer_id;occurred_at;menge;preis\na;2024-01-05;2;1.234,50\na;2024-01-06;3;7,25\n")
    orders = TableSettings(source="orders.csv", columns={"amount": "menge * preis"})
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, columns="amount")] == [2469, 21.75]


def test_currencies_are_not_added_up(tmp_path):
    with pytest.raises(
        TableError, match=r"rows by currency are .*EUR 1.*for example EUR in row 1; bind exchange rates"
    ):
        amounts(tmp_path, "€226.6", "¥9,326")
    rows = ["a,2024-01-05,100,JPY", "a,2024-01-06,10,USD", "a,2024-01-07,10,usd"]
    write(tmp_path, lines(*rows, header="customer_id,occurred_at,amount,Currency Code"))
    assert "rows by currency are" in failed(make(tmp_path))
    write(tmp_path, "currency,date,rate\nUSD,2024-01-01,140\nUSD,2024-01-07,150\n", "fx.csv")
    with bind(make(tmp_path, tables={"fx": TableSettings(source="fx.csv")}), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, columns="amount")] == [100, 1400, 1500]
        assert findings(tables)["amount", "converted from USD, usd to JPY by fx"] == 2
        assert tables.names == ("customers", "orders")
    write(tmp_path, lines("a,2024-01-05,2,€3", header="customer_id,occurred_at,n,price"))
    orders = TableSettings(source="orders.csv", columns={"amount": "n * price"})
    assert "calculated from carry EUR" in failed(make(tmp_path, orders=orders))


def test_a_row_without_a_rate_is_left_out_and_counted(tmp_path):
    rows = [f"a,2024-01-{day:02d},100,JPY" for day in range(1, 29)]
    write(tmp_path, lines("a,2023-12-30,10,USD", *rows, header="customer_id,occurred_at,amount,currency"))
    write(tmp_path, "currency,date,rate\nUSD,2024-01-01,140\n", "fx.csv")
    with bind(make(tmp_path, tables={"fx": TableSettings(source="fx.csv")}), now=NOW) as tables:
        assert findings(tables)["currency", "of USD without a rate in fx on or before its day"] == 1
        assert tables.report("orders").rows_kept == 28


def test_times_in_all_manners(tmp_path):
    texts = ["2024-06-13T00:05:00Z", "2024-06-13 00:05:00 UTC", "令和6年6月13日 9時5分", "R6.6.13 9:05", "2024/06/13(木) 9:05",
             "２０２４年６月１３日 ９時５分", "2024/06/13 午前9:05", "Jun 13, 2024, 9:05 AM", "13-Jun-24 09:05", "1718237100"]  # fmt: skip
    assert times(tmp_path, *texts) == [datetime(2024, 6, 13, 9, 5)] * len(texts)  # noqa: DTZ001
    days = ["13-Jun-24", "June 13, 2024", "令和6年6月13日", "R6.6.13", "2024/06/13(木)", "20240613", "45456"]
    assert times(tmp_path, *days) == [datetime(2024, 6, 13)] * len(days)  # noqa: DTZ001
    assert times(tmp_path, "24/06/13", "24/06/30") == [datetime(2024, 6, 13), datetime(2024, 6, 30)]  # noqa: DTZ001


def test_a_zone_in_the_heading_is_the_columns_zone(tmp_path):
    write(tmp_path, "Customer ID,Created date (UTC),Amount\na,2024-06-13 20:00:00,5\n")
    columns = {"customer_id": "Customer ID", "occurred_at": "Created date (UTC)"}
    orders = TableSettings(source="orders.csv", columns=columns)
    with bind(make(tmp_path, orders=orders, timezone="Asia/Tokyo"), now=NOW) as tables:
        assert rows_of(tables, columns="occurred_at") == [(datetime(2024, 6, 14, 5),)]  # noqa: DTZ001


def test_one_value_decides_the_order_and_two_orders_are_refused(tmp_path):
    assert times(tmp_path, "05/06/2024", "13/06/2024")[0] == datetime(2024, 6, 5)  # noqa: DTZ001
    assert times(tmp_path, "05/06/2024", "06/13/2024")[0] == datetime(2024, 5, 6)  # noqa: DTZ001
    assert times(tmp_path, "05/06/2024 9:05 PM", "13/06/2024")[0] == datetime(2024, 6, 5, 21, 5)  # noqa: DTZ001
    with pytest.raises(
        TableError,
        match=r"mixes orders .*'13/06/2024' in row 1 \(day first\), and 1 like '06/14/2024' in row 3",
    ):
        times(tmp_path, "13/06/2024", "15/06/2024", "06/14/2024")
    with pytest.raises(
        TableError,
        match=r"'05/06/2024' is 2024-06-05 or 2024-05-06; say which .* \"%d/%m/%Y\" or \"%m/%d/%Y\"",
    ):
        times(tmp_path, "05/06/2024", "05/06/2024")


def test_a_lone_row_far_from_all_others_does_not_move_the_end(tmp_path):
    day = date(2023, 1, 1)
    rows = [f"c{k % 40},{day + timedelta(days=k // 8)},5" for k in range(4_856)]
    write(tmp_path, lines(*rows[:900], "c1,2025-12-30,7", *rows[900:]))
    with bind(make(tmp_path), now=NOW) as tables:
        report = tables.report("orders")
        (finding,) = report.dropped
        assert report.last == datetime(2024, 8, 29)  # noqa: DTZ001
        assert (finding.count, finding.row, finding.example) == (1, 901, "2025-12-30")
        assert 'strays = "keep"' in finding.reason
    with bind(make(tmp_path, orders=TableSettings(source="orders.csv", strays="keep")), now=NOW) as tables:
        assert tables.report("orders").last == datetime(2025, 12, 30)  # noqa: DTZ001
    with bind(make(tmp_path, until=date(2024, 8, 1)), now=NOW) as tables:
        assert tables.report("orders").last == datetime(2024, 8, 1)  # noqa: DTZ001
        assert findings(tables)["occurred_at", "after until = 2024-08-01"] > 1


def test_placeholders_are_empty_and_said(tmp_path):
    header = "customer_id,contract_id,starts_at,ends_at,monthly_amount"
    good = [f"a,k{k},2024-01-01,2025-01-01,5" for k in range(200)]
    odd = ["a,x,2024-01-01,2999-12-31,5"]
    write(tmp_path, lines(*good, *odd, header=header), "contracts.csv")
    write(tmp_path, lines(*["a,2024-01-05,5"] * 120, "a,1970-01-01,5", "a,1970-01-01 09:00,5"))
    settings = make(tmp_path, tables={"contracts": TableSettings(source="contracts.csv")})
    with bind(settings, now=NOW) as tables:
        assert findings(tables)["occurred_at", "a placeholder and no date"] == 2
        assert ("ends_at", "a placeholder and no date") in findings(tables, "contracts") or (
            "ends_at", "a placeholder and no date, taken as empty") in findings(tables, "contracts")  # fmt: skip


def test_ids_are_one_whatever_nobody_sees(tmp_path):
    ids = ["A12", "A12\u00a0", "A\u200b12", "\ufeffA12", "Ａ１２", " A12 ", "A12\u3000"]
    write(tmp_path, lines(*(f'"{name}",2024-01-05,5' for name in ids)))
    with bind(make(tmp_path), now=NOW) as tables:
        assert {row[0] for row in rows_of(tables, columns="customer_id")} == {"A12"}
        assert (
            findings(tables)[
                "customer_id", "written with blanks, unseen or wide characters, read without them"
            ]
            == 6
        )


def test_ids_that_differ_by_case_or_zeros_are_noted_and_made_one_on_request(tmp_path):
    write(
        tmp_path,
        lines("a1,2024-01-05,5", "A1,2024-01-06,5", "0012,2024-01-05,5", "12,2024-01-06,5", "0,2024-01-06,5"),
    )
    with bind(make(tmp_path), now=NOW) as tables:
        warnings = tables.report("customers").warnings
        notes = [(note.count, note.example, note.reason) for note in warnings if "differ" in note.reason]
        assert [note[:2] for note in notes] == [(1, "A1"), (1, "0012")]
        assert "as 'a1' does; [ids] ignore_case = true" in notes[0][2]
    one = IdSettings(ignore_case=True, ignore_leading_zeros=True)
    with bind(make(tmp_path, ids=one), now=NOW) as tables:
        assert {row[0] for row in rows_of(tables, columns="customer_id")} == {"a1", "12", "0"}
        assert not any("differ" in note.reason for note in tables.report("customers").warnings)


def test_a_loss_is_refused_until_it_is_accepted(tmp_path):
    write(tmp_path, lines(*["a,2024-01-05,5"] * 40, *[",2024-01-05,5"] * 154))
    with bind(make(tmp_path), now=NOW) as tables:
        report = tables.report("orders")
        assert [str(loss) for loss in report.losses] == [
            "154 of 194 rows (79.4%)",
            "770 of 970 positive amount (79.4%)",
        ]
        with pytest.raises(
            TableError,
            match=r"154 of 194 rows \(79\.4%\) would be left out: .*\[tables.orders.accept\] share = 0\.8",
        ):
            tables.refuse_losses()
    accepted = TableSettings(source="orders.csv", accept=Acceptance(share=0.8, reason="counter sales"))
    with bind(make(tmp_path, orders=accepted), now=NOW) as tables:
        tables.refuse_losses()
        assert "154 of 194 rows left out (79.38%) (accepted: counter sales)" in tables.report("orders").lost
    less = TableSettings(source="orders.csv", accept=Acceptance(share=0.5, reason="counter sales"))
    with (
        bind(make(tmp_path, orders=less), now=NOW) as tables,
        pytest.raises(TableError, match=r"more than the 50\.0% accepted"),
    ):
        tables.refuse_losses()


def test_losing_all_returns_does_not_hide_behind_the_sales(tmp_path):
    sales = ["a,2024-01-05,1000"] * 995
    write(tmp_path, lines(*sales, *[",2024-01-05,-5"] * 5))
    with (
        bind(make(tmp_path), now=NOW) as tables,
        pytest.raises(TableError, match=r"25 of 25 negative amount \(100\.0%\)"),
    ):
        tables.refuse_losses()


def test_subtotals_among_the_rows_are_named(tmp_path):
    rows = [f"c{k},2024-01-05,5,商品{k}" for k in range(50)]
    write(tmp_path, lines(*rows, "合計,2024-01-31,250,", "c1,2024-01-31,99,【1月計】", "c2,2024-01-31,9,Grand Total",
                          header="customer_id,occurred_at,amount,product_id"))  # fmt: skip
    with bind(make(tmp_path), now=NOW) as tables:
        notes = [
            (note.column, note.count)
            for note in tables.report("orders").warnings
            if "subtotal" in note.reason
        ]
    assert notes == [("customer_id", 1), ("product_id", 2)]


def test_an_orders_total_on_each_line_is_noted(tmp_path):
    rows = [f"a,2024-01-05,o{k // 2},p{k % 2},{300 + k // 2}" for k in range(60)]
    write(tmp_path, lines(*rows, header="customer_id,occurred_at,order_id,product_id,amount"))
    with bind(make(tmp_path), now=NOW) as tables:
        (note,) = [
            note for note in tables.report("orders").warnings if "on all of their lines" in note.reason
        ]
    assert (note.count, note.row) == (30, 1)


money = st.tuples(st.integers(0, 10**7), st.integers(0, 99))


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.lists(money, min_size=1, max_size=20),
    comma=st.booleans(),
    manner=st.sampled_from(["{}", "-{}", "({})", "{} 円", "△{}"]),
)
def test_a_column_is_read_as_it_was_meant_or_refused_or_said_to_be_open(tmp_path, values, comma, manner):
    texts = [f"{whole:,}.{part:02d}" for whole, part in values]
    if comma:
        texts = [text.translate({44: 46, 46: 44}) for text in texts]
    sign = -1 if manner in {"-{}", "({})", "△{}"} else 1
    read, _ = amounts(tmp_path, *(manner.format(text) for text in texts))
    assert read == [sign * float(f"{whole}.{part:02d}") for whole, part in values]


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days=st.lists(st.dates(date(2001, 1, 1), date(2025, 12, 1)), min_size=1, max_size=20),
       form=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%y/%m/%d", "%Y年%m月%d日", "%d-%b-%y", "%B %d, %Y", "%Y%m%d"]))  # fmt: skip
def test_a_column_of_days_is_read_as_it_was_meant_or_refused(tmp_path, days, form):
    orders = TableSettings(source="orders.csv", strays="keep")
    try:
        read = times(tmp_path, *(day.strftime(form) for day in days), orders=orders)
    except TableError as error:
        assert "can be read in two ways" in str(error)  # noqa: PT017
        return
    assert read == [datetime.combine(day, datetime.min.time()) for day in days]
