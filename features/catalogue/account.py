"""Customers: the account itself, and what is known about it."""

from features.aggregations.recency import DaysSinceFirst, Last
from features.catalogue.declaration import Declaration, canonical
from features.engine.streams import Stream
from features.engine.views import FeatureView
from features.language import Wording
from features.schema import Column, Kind, RowWords

_CUSTOMERS = canonical(
    "customers",
    "an account",
    "created_at",
    Column(
        "parent_id", Kind.ID, "the account it belongs to, such as the parent company",
        Wording("parent company", "親会社"),
        "parent parentid parentaccount parentaccountid parentcompany parentcompanyid parentcustomer parentcustomerid "
        "ultimateparent ultimateparentid subsidiaryof 親会社 親会社id 親会社コード 親取引先 親取引先id 親顧客 グループ グループid "
        "グループ会社 本社 本社id",
    ),
    Column(
        "created_at", Kind.TIME, "when the account was opened", Wording("day of opening", "取引開始日"),
        "createdat created createddate createdate datecreated createdutc clientsince  registered registeredat registrationdate signup signupdate joined "
        "joindate since opened openedat accountcreated 登録日 登録日時 作成日 開設日 入会日 取引開始日 取引開始年月日 登録年月日 作成日時 契約開始日",
    ),
    Column(
        "industry", Kind.TEXT, "industry of the account", Wording("industry", "業種"),
        "industry sector industryname businesstype 業種名 業種分類 vertical businesstype 業種 業界 産業",
    ),
    Column(
        "country", Kind.TEXT, "country of the account", Wording("country", "国"),
        "country countrycode countryregion billingcountry countryname nation 国 国名 国コード",
    ),
    Column(
        "region", Kind.TEXT, "sales region, state or prefecture", Wording("region", "地域"),
        "region state billingstate stateregion stateprovince  province prefecture area territory 地域 都道府県 エリア 地区",
    ),
    Column(
        "employees", Kind.NUMBER, "number of employees", Wording("number of employees", "従業員数"),
        "employees employeecount numberofemployees numberemployees noofemployees  headcount numemployees companysize staff 従業員数 社員数 従業員規模",
    ),
    Column(
        "acquisition_cost", Kind.NUMBER, "money spent to win the account",
        Wording("cost of winning the account", "新規獲得費用"),
        "acquisitioncost cac costofacquisition 獲得費用 獲得コスト 顧客獲得単価",
        money=True,
    ),
    Column(
        "owner", Kind.TEXT, "salesperson or team in charge", Wording("owner", "担当者"),
        "owner accountowner ownerid companyowner accountmanager  salesrep salesperson accountmanager rep 担当 担当者 営業担当 担当営業",
    ),
    group="account",
    file_words="customer client account compan reseller dealer organi 会社 企業 顧客 得意先 取引先 会員",
    key=("customer_id",),
    course=False,
)  # fmt: skip

CUSTOMERS_KNOWN = Stream(
    "customers.known",
    _CUSTOMERS,
    RowWords(Wording("account", "取引先"), Wording("accounts", "取引先"), describe=True),
    time="created_at",
    numbers=("employees", "acquisition_cost"),
    texts=("industry", "country", "region", "owner"),
    undated_always=True,
)

_ACCOUNT = FeatureView(
    stream=CUSTOMERS_KNOWN,
    aggregations=(
        DaysSinceFirst(),
        Last("industry"),
        Last("country"),
        Last("region"),
        Last("employees"),
        Last("acquisition_cost"),
    ),
)

CUSTOMERS = Declaration(_CUSTOMERS, streams=(CUSTOMERS_KNOWN,), views=(_ACCOUNT,))

TRAITS: dict[str, str] = {
    column: _ACCOUNT.name_of(Last(column)) for column in ("industry", "country", "region")
}
"""Features that reports break customers down by, by column."""

CLUSTERS: tuple[str, ...] = CUSTOMERS_KNOWN.texts
"""Columns whose customers may be put in an arm of an experiment together."""
