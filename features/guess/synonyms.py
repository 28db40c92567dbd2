"""Vocabulary: the names, English and Japanese, by which users call the canonical columns."""

import re
import unicodedata

from features.schema import TABLES

_CUSTOMER = (
    "customer client account company user member buyer contact customerno customernumber customercode cust custid "
    "clientid accountid companyid userid memberid buyerid householdkey "
    "顧客 顧客id 顧客番号 顧客コード 得意先 得意先id 得意先コード 得意先番号 取引先 取引先id 取引先コード 会員 会員id 会員番号 "
    "会社id 企業id 企業コード 契約者id ユーザーid ユーザid お客様番号"
)
_TIME = "date time datetime timestamp day 日付 日時 年月日 日"
_AMOUNT = (
    "amount total totalamount totalprice linetotal price revenue sales value money netamount dollarvalue spend "
    "金額 売上 売上金額 売上高 合計 合計金額 税抜金額 税込金額 受注金額 注文金額 購入金額 請求金額"
)
_PRODUCT = (
    "product productid productcode item itemid itemcode sku stockcode article articleid 商品 商品id 商品コード "
    "商品番号 品番 品目 品目コード 製品 製品id 製品コード sku番号"
)

WORDS: dict[str, dict[str, str]] = {
    "customers": {
        "created_at": "createdat created createddate registered registeredat registrationdate signup signupdate joined "
        "joindate since opened openedat accountcreated 登録日 登録日時 作成日 開設日 入会日 取引開始日 契約開始日",
        "industry": "industry sector vertical businesstype 業種 業界 産業",
        "country": "country countrycode nation 国 国名 国コード",
        "region": "region state province prefecture area territory 地域 都道府県 エリア 地区",
        "employees": "employees employeecount headcount numemployees companysize staff 従業員数 社員数 従業員規模",
        "acquisition_cost": "acquisitioncost cac costofacquisition 獲得費用 獲得コスト 顧客獲得単価",
        "owner": "owner accountowner salesrep salesperson accountmanager rep 担当 担当者 営業担当 担当営業",
    },
    "orders": {
        "occurred_at": "orderdate orderedat orderat orderdatetime invoicedate purchasedate purchasedat transactiondate "
        "saledate salesdate placedat 受注日 受注日時 注文日 注文日時 購入日 購入日時 売上日 取引日 伝票日付",
        "order_id": "order orderid orderno ordernumber invoiceno invoice invoiceid transactionid transactionno receipt "
        "basketid 受注番号 受注id 受注no 注文番号 注文id 注文no 伝票番号 取引番号",
        "product_id": _PRODUCT,
        "quantity": "quantity qty units count numberofcds pieces volume 数量 個数 点数 受注数 受注数量 販売数量",
        "amount": _AMOUNT + " orderamount orderamt amt orderamounts orderprice ordertotal",
        "margin": "margin profit grossprofit grossmargin contribution 粗利 利益 粗利益 限界利益 粗利額",
    },
    "contracts": {
        "contract_id": "contract contractid contractno contractnumber subscriptionid 契約 契約id 契約番号",
        "product_id": _PRODUCT + " plan planid プラン",
        "starts_at": "start startat startdate startedat contractstart validfrom begins 開始日 契約開始日 利用開始日",
        "ends_at": "end endat enddate endedat contractend validto expires expirydate renewaldate 終了日 契約終了日 満了日 更新日",
        "cancelled_at": "cancelled canceled cancelledat canceledat cancellationdate churndate churnedat 解約日 解約通知日",
        "monthly_amount": "monthlyamount mrr monthlyprice monthlyfee 月額 月額料金 月額金額",
        "seats": "seats licenses licences users 席数 ライセンス数 利用者数",
    },
    "usage": {
        "occurred_at": "usagedate activitydate eventdate 利用日 使用日",
        "feature": "feature module function 機能 機能名",
        "events": "events eventcount uses usagecount actions 利用回数 操作数 イベント数",
        "active_users": "activeusers dau users アクティブユーザー数 利用者数",
        "quota_share": "quotashare quota utilization utilisation 利用率",
    },
    "tickets": {
        "opened_at": "openedat opened createdat created createddate 起票日 受付日 問い合わせ日 問合せ日 発生日",
        "closed_at": "closedat closed resolvedat solvedat 完了日 解決日 対応完了日 クローズ日",
        "severity": "severity priority 重要度 深刻度 優先度",
        "category": "category topic type 分類 カテゴリ 種別",
        "complaint": "complaint iscomplaint クレーム 苦情",
        "satisfaction": "satisfaction csat rating 満足度",
    },
    "invoices": {
        "issued_at": "issuedat issued issuedate invoicedate billedat billingdate 請求日 発行日",
        "due_at": "dueat due duedate paymentdue 支払期限 支払期日 期日",
        "paid_at": "paidat paid paiddate paymentdate 入金日 支払日",
        "amount": _AMOUNT + " invoiceamount",
    },
    "engagement": {
        "occurred_at": "eventdate sentat eventtime 実施日 送信日",
        "kind": "kind event eventtype action type channel 種別 種類 行動",
        "campaign_id": "campaign campaignid campaignname キャンペーン キャンペーンid 施策id",
    },
    "surveys": {
        "occurred_at": "answeredat surveydate responsedate 回答日",
        "score": "score nps npsscore rating 点数 スコア 推奨度",
    },
    "deals": {
        "opened_at": "openedat opened createdat created createddate 商談開始日 作成日",
        "closed_at": "closedat closed closedate 完了日 受注予定日 クローズ日",
        "stage": "stage phase status フェーズ ステージ 商談段階",
        "kind": "kind type dealtype 種別 商談種別",
        "amount": _AMOUNT + " dealamount",
        "won": "won iswon 成約 受注",
    },
    "assignments": {
        "experiment_id": "experiment experimentid test campaign campaignid 実験 実験id 施策id",
        "assigned_at": "assignedat assigned assignmentdate 割付日 割当日",
        "arm": "arm variant group treatment segment 群 割付群 配信群",
        "propensity": "propensity probability 割付確率",
    },
    "costs": {
        "occurred_at": "month costdate 対象月 計上月",
        "amount": _AMOUNT + " cost servicecost 費用 コスト",
    },
}
"""Normalised names by canonical table and column, set apart by blanks."""

TABLE_WORDS: dict[str, str] = {
    "customers": "customer client account company 顧客 得意先 取引先 会員",
    "orders": "order sale transaction purchase retail 受注 注文 売上 購買 購入",
    "contracts": "contract subscription 契約",
    "usage": "usage activity 利用 ログ",
    "tickets": "ticket case support 問い合わせ 問合せ サポート",
    "invoices": "invoice billing 請求",
    "engagement": "engagement email touch 接点 メール",
    "surveys": "survey nps アンケート",
    "deals": "deal opportunit pipeline 商談 案件",
    "assignments": "assignment experiment 割付 実験",
    "costs": "cost 費用 コスト",
}
"""Words in the name of a file or sheet that speak for a canonical table."""

UNIT_PRICE = "unitprice priceperunit unitcost price 単価 販売単価"
"""Names of a price that is still to be multiplied by the quantity."""


def normalise(name: str) -> str:
    """A name without case, width, blanks and signs: ``Invoice No.`` is ``invoiceno``."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).lower())


def likeness(name: str, table: str, column: str) -> int:
    """How much a source column's name speaks for a canonical column.

    Returns:
        4 for the canonical name itself, 3 for a known name, 2 for a general name of the table's time, 1 where
        a known name is part of it, 0 otherwise.
    """
    plain = normalise(name)
    if plain == normalise(column):
        return 4
    known = _CUSTOMER if column == "customer_id" else WORDS[table].get(column, "")
    words = {normalise(word) for word in known.split()}
    if plain in words:
        return 3
    if column == TABLES[table].time and plain in _TIME.split():
        return 2
    return int(any(len(word) >= (4 if word.isascii() else 2) and word in plain for word in words))
