"""Orders: what was bought and sent back, the ledger of every value."""

from features.aggregations.extremes import Max, Min
from features.aggregations.moments import Count, Mean, Std, Sum
from features.aggregations.recency import (
    ActiveDays,
    DaysSinceFirst,
    DaysSinceLast,
    First,
    Last,
    MeanGap,
    StdGap,
)
from features.aggregations.trends import Ratio, Slope, Trend
from features.aggregations.variety import DistinctCount, TopShare
from features.catalogue.declaration import AMOUNT_NAMES, PRODUCT_NAMES, Declaration, canonical
from features.engine.streams import Condition, Stream
from features.engine.views import FeatureView
from features.engine.windows import EVER, days
from features.language import Wording
from features.schema import Column, Kind, RowWords

_ORDERS = canonical(
    "orders",
    "an order line",
    "occurred_at",
    Column(
        "occurred_at", Kind.TIME, "when the order was placed", Wording("day of the order", "受注日"),
        "orderdate orderedat createddate createdutc createdat datecreated purchaseddate processedat paidat 決済日 売上日付 注文日時 受注日付 orderat orderdatetime invoicedate purchasedate purchasedat transactiondate "
        "saledate salesdate placedat dateplaced dateordered orderedon postingdate documentdate 伝票日 売上計上日 売上年月日 取引年月日 納品日 出荷日 受注日 受注日時 注文日 注文日時 購入日 購入日時 売上日 取引日 伝票日付",
        required=True,
    ),
    Column(
        "order_id", Kind.ID, "order or invoice the line belongs to", Wording("order", "注文"),
        "orderid orderno ordernumber salesordernumber incrementid chargeid invoiceno invoice invoiceid transactionid transactionno receipt "
        "basketid documentno documentnumber docno order name id 受注番号 受注id 受注no 注文番号 注文id 注文no 伝票番号 取引番号",
    ),
    Column("product_id", Kind.ID, "what was bought", Wording("product", "商品"), PRODUCT_NAMES),
    Column(
        "quantity", Kind.NUMBER, "units; negative for a return", Wording("units", "数量"),
        "quantity orderquantity lineitemquantity qtyordered itemquantity qty units count numberofcds pieces volume 数量 個数 点数 受注数 受注数量 販売数量 出荷数 出荷数量 unitssold quantitysold",
    ),
    Column(
        "amount", Kind.NUMBER, "money of the line; negative for a return", Wording("money", "金額"),
        AMOUNT_NAMES + " orderamount orderamt amt orderamounts orderprice ordertotal grandtotal grandtotalbase basegrandtotal paymenttotal お支払い合計 お支払合計 支払合計 合計金額税込 小計 subtotal",
        required=True, money=True,
    ),
    Column(
        "margin", Kind.NUMBER,
        "contribution margin of the line; where empty, amount times ltv.margin_rate",
        Wording("margin", "限界利益"),
        "margin profit grossprofit grossmargin contribution 粗利 利益 粗利益 限界利益 粗利額",
        money=True,
    ),
    group="purchasing",
    file_words="order sale transaction purchase retail 受注 注文 売上 購買 購入",
)  # fmt: skip

UNIT_PRICE_NAMES = "unitprice unitamount priceperunit lineitemprice itemprice itemcost price 価格 単価税込 単価税抜 単価 販売単価"
"""Headings of a price that is still to be multiplied by the quantity."""

_LINES = RowWords(Wording("order", "注文"), Wording("order lines", "注文明細"))
_NUMBERS = ("quantity", "amount", "margin")
_TEXTS = ("order_id", "product_id")

ORDERS_BOOKED = Stream("orders.booked", _ORDERS, _LINES, time="occurred_at", numbers=_NUMBERS)
ORDERS_PLACED = Stream(
    "orders.placed",
    _ORDERS,
    _LINES,
    time="occurred_at",
    numbers=_NUMBERS,
    texts=_TEXTS,
    where=Condition("amount", ">=", 0),
)
ORDERS_RETURNED = Stream(
    "orders.returned",
    _ORDERS,
    RowWords(Wording("return", "返品"), Wording("returned lines", "返品明細")),
    time="occurred_at",
    numbers=_NUMBERS,
    texts=_TEXTS,
    where=Condition("amount", "<", 0),
)

_PLACED = FeatureView(
    stream=ORDERS_PLACED,
    aggregations=(
        Count(),
        ActiveDays(),
        DistinctCount("order_id"),
        DistinctCount("product_id"),
        TopShare("product_id"),
        Sum("amount"),
        Mean("amount"),
        Std("amount"),
        Min("amount"),
        Max("amount"),
        Sum("quantity"),
        Sum("margin"),
        MeanGap(),
        StdGap(),
    ),
    windows=days(30, 90, 180, 365, EVER),
)
_HISTORY = FeatureView(
    stream=ORDERS_PLACED,
    aggregations=(DaysSinceFirst(), DaysSinceLast(), First("amount"), Last("amount")),
)
_DIRECTION = FeatureView(
    stream=ORDERS_PLACED,
    aggregations=(
        Trend("amount"),
        Slope("amount"),
        Ratio(Count(), *days(30, 180)),
        Ratio(Sum("amount"), *days(30, 180)),
        Ratio(Count(), *days(90, 365)),
        Ratio(Sum("amount"), *days(90, 365)),
    ),
    windows=days(90, 180, 365),
)
_RETURNED = FeatureView(
    stream=ORDERS_RETURNED,
    aggregations=(Count(), Sum("amount"), Sum("quantity"), DaysSinceLast()),
    windows=days(90, 365, EVER),
    prefix="returns",
)

ORDERS = Declaration(
    _ORDERS,
    streams=(ORDERS_BOOKED, ORDERS_PLACED, ORDERS_RETURNED),
    views=(_PLACED, _HISTORY, _DIRECTION, _RETURNED),
)

# The features that models and commands ask for by name.
ORDERED = _PLACED.name_of(Count())
"""Whoever has none of these has not ordered yet, and there is nothing to predict from."""

ORDER_DAYS = _PLACED.name_of(ActiveDays())
"""Days with an order so far."""

SINCE_FIRST_ORDER = _HISTORY.name_of(DaysSinceFirst())
"""Days since the first order."""

SINCE_LAST_ORDER = _HISTORY.name_of(DaysSinceLast())
"""Days since the last order."""

SPENT = _PLACED.name_of(Sum("amount"))
"""Money of all orders so far."""

RETURNED = _RETURNED.name_of(Sum("amount"))
"""Money given back so far, 0 or less."""

SPENT_WITHIN: dict[int, str] = {
    window.days: _PLACED.name_of(Sum("amount"), window)
    for window in _PLACED.windows
    if window.days is not None
}
"""Money of the orders of the last so many days, by days."""
