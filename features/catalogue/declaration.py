"""Declaration: everything tokui knows about one canonical table, and what the tables share."""

from dataclasses import dataclass

from features.engine.streams import Stream
from features.engine.views import FeatureView
from features.errors import DefinitionError
from features.language import Wording
from features.schema import Column, Group, Kind, Table


@dataclass(frozen=True)
class Declaration:
    """One canonical table with all that is made of it.

    Args:
        table: Its columns, with their synonyms and what they are called.
        streams: How its rows are read, one stream for each of its times.
        views: The features that every feature set of the catalogue has of it; may be none.

    Raises:
        DefinitionError: A stream is of another table, or a view of another stream.
    """

    table: Table
    streams: tuple[Stream, ...]
    views: tuple[FeatureView, ...] = ()

    def __post_init__(self) -> None:
        for stream in self.streams:
            if stream.schema is not self.table:
                raise DefinitionError(f"{stream.name} is no stream of table {self.table.name}")
        for view in self.views:
            if view.stream not in self.streams:
                raise DefinitionError(f"{view.stream.name} is not among the streams of {self.table.name}")


AMOUNT_NAMES = (
    "amount salesamount total totalamount totalprice linetotal price revenue sales value money netamount dollarvalue spend "
    "金額 売上 売上金額 売上高 合計 合計金額 税抜金額 税込金額 受注金額 注文金額 購入金額 請求金額 lineamount netsales ordervalue extendedamount 受注額 売上額 請求額 税込合計 税抜合計"
)
"""Headings of money, whichever table it is in."""

PRODUCT_NAMES = (
    "product productid productkey productcode productname lineitemsku lineitemname itemsku item itemid itemcode sku stockcode article articleid partnumber partno material 商品 商品id 商品コード "
    "商品番号 品番 品目 品目コード 製品 製品id 製品コード sku番号"
)
"""Headings of products, whichever table they are in."""

TIME_NAMES = "date time datetime timestamp day 日付 日時 年月日 日"
"""Headings that speak for the time of a table, but say no more."""

_CUSTOMER_ID = Column(
    "customer_id", Kind.ID, "the account, any text or number", Wording("account", "取引先"),
    "customerid clientid accountid companyid organizationid organisationid customerkey customerno customernumber customercode custid clientcode "
    "accountcode accountno accountnumber companycode userid memberid buyerid customeruser resellerkey resellerid dealerid storeid householdkey "
    "associatedcompanyids associatedcompanyid 顧客id 顧客番号 顧客コード 得意先コード 得意先id 得意先番号 取引先コード 取引先id 取引先番号 会員id "
    "会員番号 会社id 企業id 企業コード 契約者id ユーザーid ユーザid お客様番号 お客様コード 請求先コード "
    "customer client account company organization organisation cust user member buyer contact reseller dealer store billto soldto 顧客 得意先 取引先 会員 請求先 "
    "customername contactname accountname companyname clientname organizationname organisationname associatedcompany billingcompany billtoname "
    "得意先名 取引先名 取引先名称 得意先名称 顧客名 顧客名称 会社名 企業名 請求先名 customeremail billingemail email メールアドレス",
    required=True,
)  # fmt: skip
_CURRENCY = Column(
    "currency", Kind.TEXT, "currency of the row's money, where rows differ", Wording("currency", "通貨"),
    "currency currencycode currencyisocode isocurrency 通貨 通貨コード 通貨単位",
)  # fmt: skip
_KNOWN_AT = Column(
    "known_at", Kind.TIME, "when the row reached the books, if later than its own date",
    Wording("day of entry", "計上日"),
)  # fmt: skip


def canonical(
    name: str,
    row: str,
    time: str,
    *columns: Column,
    group: Group,
    file_words: str,
    key: tuple[str, ...] = (),
    course: bool = True,
    by_name: bool = False,
) -> Table:
    """A table with the columns that every table has around its own."""
    # What it cost to win an account is the project's own money; rows of sales may be in the customer's.
    priced = name != "customers" and any(column.money for column in columns)
    around = (_CURRENCY, _KNOWN_AT) if priced else (_KNOWN_AT,)
    return Table(name, row, (_CUSTOMER_ID, *columns, *around), time, group, file_words, key, course, by_name)
