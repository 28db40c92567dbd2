"""Three companies, whole: what a maker of software, a maker of hardware and a maker of bicycles export from their books."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.exports.truth import FIRMS, Export, Sheet, at_work, cents, chance_of, days_later

BEGIN, END = date(2022, 1, 3), date(2024, 12, 31)
"""First and last day of all three books."""

DAYS = (END - BEGIN).days


def saas(accounts: int = 300) -> Export:
    """A maker of software: money is in subscriptions, and usage names the subscription only.

    A subscription is billed in full on the first day of each month, or each year, while it runs.
    """
    chance = chance_of("saas")
    people = Sheet(("account_id", "account_name", "industry", "country", "signup_date", "referral_source", "plan_tier", "seats",
                    "is_trial", "churn_flag"))  # fmt: skip
    terms = Sheet(("subscription_id", "account_id", "start_date", "end_date", "plan_tier", "seats", "mrr_amount", "arr_amount", "is_trial",
                   "upgrade_flag", "downgrade_flag", "churn_flag", "billing_frequency", "auto_renew_flag"))  # fmt: skip
    usage = Sheet(("usage_id", "subscription_id", "usage_date", "feature_name", "usage_count", "usage_duration_secs", "error_count",
                   "is_beta_feature"))  # fmt: skip
    tickets = Sheet(("ticket_id", "account_id", "submitted_at", "closed_at", "resolution_time_hours", "priority",
                     "first_response_time_minutes", "satisfaction_score", "escalation_flag"))  # fmt: skip
    left = Sheet(("churn_event_id", "account_id", "churn_date", "reason_code", "refund_amount_usd", "preceding_upgrade_flag",
                  "preceding_downgrade_flag", "is_reactivation", "feedback_text"))  # fmt: skip
    billed, monthly = Decimal(0), Decimal(0)
    for k in range(accounts):
        account = f"A-{chance.randrange(16**6):06x}"
        signup = days_later(BEGIN, chance.randrange(DAYS * 3 // 4))
        tier, seats = (
            chance.choice([("Basic", 19), ("Pro", 49), ("Enterprise", 199)]),
            chance.randrange(2, 60),
        )
        leaves = chance.random() < 0.45
        begin = signup
        for part in range(1 + (chance.random() < 0.3)):
            yearly = chance.random() < 0.25
            months = 12 * chance.randrange(1, 3) if yearly else chance.randrange(3, 22)
            stop = _months(begin, months)
            last = part == 1 or leaves
            over = stop <= END and (leaves or part == 0)
            mrr = cents(tier[1] * seats)
            name = f"S-{chance.randrange(16**6):06x}"
            terms.add(name, account, begin, stop if over else "", tier[0], seats, mrr, mrr * 12, False, False, False, over and last,
                      "annual" if yearly else "monthly", not over)  # fmt: skip
            monthly += mrr
            billed += _billed(begin, stop if over else None, mrr, 12 if yearly else 1)
            _used(usage, chance, name, begin, min(stop, END) if over else END)
            if over and last:
                left.add(
                    f"C-{k:05d}",
                    account,
                    stop,
                    chance.choice(["pricing", "support", "features"]),
                    "0.00",
                    False,
                    False,
                    False,
                    "",
                )
            if not over:
                break
            begin, seats = stop, max(1, seats + chance.randrange(-5, 12))
        people.add(account, f"Company_{k}", chance.choice(["EdTech", "FinTech", "DevTools", "HealthTech"]),
                   chance.choice(["US", "UK", "IN", "DE"]), signup, chance.choice(["organic", "ads", "partner"]), tier[0], seats, False,
                   leaves)  # fmt: skip
        for _ in range(chance.randrange(6)):
            opened = at_work(chance, min(END, days_later(signup, chance.randrange(400))))
            hours = chance.randrange(1, 90)
            closed = opened + timedelta(hours=hours)
            over = closed.date() <= END
            tickets.add(f"T-{chance.randrange(16**6):06x}", account, opened, closed if over else "", f"{hours}.0" if over else "",
                        chance.choice(["low", "medium", "high", "urgent"]), chance.randrange(1, 180),
                        chance.choice(["", "3.0", "4.0", "5.0"]), chance.random() < 0.1)  # fmt: skip
    # The last day of the books is known from the last day of usage.
    usage.add("U-ffffff", terms.rows[0][0], END, "feature_1", 1, 60, 0, False)
    files = {
        "accounts.csv": people,
        "subscriptions.csv": terms,
        "feature_usage.csv": usage,
        "support_tickets.csv": tickets,
        "churn_events.csv": left,
    }
    return Export(
        "saas",
        "Headings of a public data set of a company that rents software out. feature_usage.csv names the subscription, not the account.",
        {file: sheet.csv(ends="\n") for file, sheet in files.items()},
        (
            people.becomes("customers", "accounts.csv", {
                "customer_id": "account_id", "created_at": "signup_date", "industry": "industry", "country": "country"}),
            terms.becomes("contracts", "subscriptions.csv", {
                "customer_id": "account_id", "contract_id": "subscription_id", "product_id": "plan_tier", "starts_at": "start_date",
                "ends_at": "end_date", "monthly_amount": "mrr_amount", "seats": "seats", "renews": "auto_renew_flag",
                "billing_months": "billing_frequency"}),
            usage.becomes("usage", "feature_usage.csv", {
                "customer_id": "account_id", "occurred_at": "usage_date", "feature": "feature_name", "events": "usage_count"}),
            tickets.becomes("tickets", "support_tickets.csv", {
                "customer_id": "account_id", "opened_at": "submitted_at", "closed_at": "closed_at", "satisfaction": "satisfaction_score"}),
        ),
        ("contracts",), {"orders.amount": billed, "contracts.monthly_amount": monthly}, "USD",
        {"accounts.csv": "account_id", "subscriptions.csv": "account_id"}, ("churn_events.csv",),
    )  # fmt: skip


def _used(usage: Sheet, chance: Random, name: str, begin: date, end: date) -> None:
    """Days of use of a subscription."""
    day = begin
    while day < end:
        usage.add(f"U-{chance.randrange(16**6):06x}", name, day, f"feature_{chance.randrange(1, 40)}", chance.randrange(1, 30),
                  chance.randrange(30, 9_000), chance.randrange(3), chance.random() < 0.1)  # fmt: skip
        day = days_later(day, chance.randrange(5, 45))


def _months(day: date, months: int) -> date:
    """The same day some months later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def _billed(begin: date, stop: date | None, mrr: Decimal, months: int) -> Decimal:
    """What a subscription is billed until the last day of the books."""
    money, passed = Decimal(0), 0
    while (day := _months(begin, passed)) <= END and (stop is None or day < stop):
        money += mrr * months
        passed += months
    return money


def pipeline(accounts: int = 300) -> Export:
    """A maker of hardware: money is in opportunities that were won; open ones may name no account, the newest no day."""
    chance = chance_of("pipeline")
    names = [f"{FIRMS[k % 24].split()[0]} {word}" for word in ("Group", "Holdings", "Systems", "International", "Partners", "Works", "Trading",
             "Industries", "Labs", "Networks", "Supply", "Retail", "Foods") for k in range(24)][:accounts]  # fmt: skip
    people = Sheet(
        ("account", "sector", "year_established", "revenue", "employees", "office_location", "subsidiary_of")
    )
    for k, name in enumerate(names):
        people.add(name, chance.choice(["retail", "medical", "software", "finance"]), chance.randrange(1979, 2018), f"{chance.random() * 9_000:.2f}",
                   chance.randrange(9, 34_000), chance.choice(["United States", "United States", "Kenya", "Japan", "Brazil"]),
                   names[0] if k % 19 == 7 else "")  # fmt: skip
    goods = Sheet(("product", "series", "sales_price"))
    prices = {
        "GTX Basic": 550,
        "GTX Pro": 4821,
        "MG Special": 55,
        "MG Advanced": 3393,
        "GTX Plus Pro": 5482,
        "GTK 500": 26768,
    }
    for name, price in prices.items():
        goods.add(name, name.split()[0], price)
    teams = Sheet(("sales_agent", "manager", "regional_office"))
    agents = [
        "Anna Snelling",
        "Cecily Lampkin",
        "Darcel Schlecht",
        "Moses Frase",
        "Vicki Laflamme",
        "Zane Levy",
    ]
    for k, agent in enumerate(agents):
        teams.add(agent, ["Dustin Brinkmann", "Melvin Marxen"][k % 2], ["Central", "East", "West"][k % 3])
    deals = Sheet(
        (
            "opportunity_id",
            "sales_agent",
            "product",
            "account",
            "deal_stage",
            "engage_date",
            "close_date",
            "close_value",
        )
    )
    for _ in range(accounts * 13):
        begin = days_later(BEGIN, chance.randrange(DAYS - 10))
        stage = chance.choices(["Won", "Lost", "Engaging", "Prospecting"], [48, 28, 18, 6])[0]
        # Longer histories for some accounts than for others, as everywhere.
        account = names[int(accounts * chance.random() ** 1.6)]
        product = chance.choice(list(prices))
        closed = days_later(begin, chance.randrange(3, 130))
        if closed > END and stage in {"Won", "Lost"}:
            stage = "Engaging"
        value = round(prices[product] * (0.8 + 0.4 * chance.random())) if stage == "Won" else 0
        done = stage in {"Won", "Lost"}
        deals.add(f"{chance.randrange(36**6):08X}", chance.choice(agents), product, "" if not done and chance.random() < 0.4 else account, stage,
                  "" if stage == "Prospecting" else begin, closed if done else "", value if done else "", money=value)  # fmt: skip
    sheets = {
        "accounts.csv": people,
        "products.csv": goods,
        "sales_pipeline.csv": deals,
        "sales_teams.csv": teams,
    }
    return Export(
        "pipeline",
        "Headings of a public data set of a maker of computer hardware. Deals still open may have no account, those in Prospecting no day.",
        {file: sheet.csv(ends="\n") for file, sheet in sheets.items()},
        (
            people.becomes("customers", "accounts.csv", {
                "customer_id": "account", "industry": "sector", "employees": "employees", "country": "office_location",
                "parent_id": "subsidiary_of"}),
            deals.becomes("deals", "sales_pipeline.csv", {
                "customer_id": "account", "deal_id": "opportunity_id", "product_id": "product", "opened_at": "engage_date",
                "closed_at": "close_date", "stage": "deal_stage", "amount": "close_value", "won": "deal_stage"}),
        ),
        ("deals",), {"orders.amount": deals.money}, "USD", {"accounts.csv": "account", "sales_pipeline.csv": "account"},
        ("products.csv", "sales_teams.csv"),
    )  # fmt: skip


def reseller(resellers: int = 300) -> Export:
    """A maker of bicycles: order lines full of keys, among which the money is."""
    chance = chance_of("reseller")
    people = Sheet(("ResellerKey", "GeographyKey", "ResellerAlternateKey", "Phone", "BusinessType", "ResellerName", "NumberEmployees",
                    "OrderFrequency", "OrderMonth", "FirstOrderYear", "LastOrderYear", "ProductLine", "AddressLine1", "AddressLine2",
                    "AnnualSales", "BankName", "MinPaymentType", "MinPaymentAmount", "AnnualRevenue", "YearOpened"))  # fmt: skip
    for k in range(resellers):
        sales = chance.choice([300_000, 800_000, 1_500_000, 3_000_000])
        people.add(k + 1, 600 - k % 90, f"AW{k + 1:08d}", "245-555-0173", chance.choice(["Value Added Reseller", "Specialty Bike Shop", "Warehouse"]),
                   f"{FIRMS[k % 24].split()[0]} Bikes {k}", chance.randrange(2, 100), chance.choice(["A", "S", "Q"]), "", 2022, 2024,
                   chance.choice(["Road", "Mountain", "Touring"]), "2251 Elliot Avenue", "", sales, "Primary International", 1, "300.00",
                   sales // 10, chance.randrange(1974, 2003))  # fmt: skip
    goods = Sheet(("ProductKey", "ProductAlternateKey", "ProductSubcategoryKey", "EnglishProductName", "StandardCost", "FinishedGoodsFlag", "Color",
                   "ListPrice", "ProductLine", "DealerPrice", "ModelName", "StartDate", "EndDate", "Status"))  # fmt: skip
    prices = {
        key: cents(chance.choice([2.29, 8.99, 53.99, 419.46, 1_466.01, 2_039.99])) for key in range(210, 270)
    }
    for key, price in prices.items():
        goods.add(key, f"BK-{key}", key % 9, f"Part {key}", cents(float(price) * 0.6, "0.0001"), True, "Black", cents(float(price) * 1.5), "R", price,
                  f"Model {key % 20}", "2021-07-01 00:00:00", "", "Current")  # fmt: skip
    lines = Sheet(("ProductKey", "OrderDateKey", "DueDateKey", "ShipDateKey", "ResellerKey", "EmployeeKey", "PromotionKey", "CurrencyKey",
                   "SalesTerritoryKey", "SalesOrderNumber", "SalesOrderLineNumber", "RevisionNumber", "OrderQuantity", "UnitPrice",
                   "ExtendedAmount", "UnitPriceDiscountPct", "DiscountAmount", "ProductStandardCost", "TotalProductCost", "SalesAmount", "TaxAmt",
                   "Freight", "CarrierTrackingNumber", "CustomerPONumber", "OrderDate", "DueDate", "ShipDate"))  # fmt: skip
    starts = {k + 1: chance.randrange(DAYS // 2) for k in range(resellers)}
    days = sorted(
        (days_later(BEGIN, chance.randrange(starts[key], DAYS)), key)
        for key in starts for _ in range(int(3 + 24 * chance.random() ** 2.5))
    )  # fmt: skip
    for number, (day, key) in enumerate([*days, (END, 1)]):
        due, sent = days_later(day, 12), days_later(day, 7)
        for line in range(1, 2 + chance.randrange(5)):
            product, count = chance.choice(list(prices)), chance.randrange(1, 12)
            full = prices[product] * count
            off = chance.choice([Decimal(0), Decimal(0), Decimal(0), Decimal("0.02"), Decimal("0.05")])
            discount = cents(full * off)
            cost = cents(float(prices[product]) * 0.6, "0.0001")
            lines.add(product, f"{day:%Y%m%d}", f"{due:%Y%m%d}", f"{sent:%Y%m%d}", key, 272 + key % 17, 1 + (off > 0), 100, 1 + key % 10,
                      f"SO{43_659 + number}", line, 1, count, prices[product], full, off, discount, cost, cost * count, full - discount,
                      cents((full - discount) * Decimal("0.08")), cents((full - discount) * Decimal("0.025")), "4911-403C-98", f"PO{number:010d}",
                      f"{day} 00:00:00", f"{due} 00:00:00", f"{sent} 00:00:00", money=full - discount)  # fmt: skip
    sheets = {"DimReseller.csv": people, "DimProduct.csv": goods, "FactResellerSales.csv": lines}
    return Export(
        "reseller",
        "Headings of a public sample warehouse of a maker of bicycles. ExtendedAmount is before the discount, SalesAmount after it.",
        {file: sheet.csv(ends="\n") for file, sheet in sheets.items()},
        (
            people.becomes("customers", "DimReseller.csv", {
                "customer_id": "ResellerKey", "industry": "BusinessType", "employees": "NumberEmployees"}),
            lines.becomes("orders", "FactResellerSales.csv", {
                "customer_id": "ResellerKey", "occurred_at": ["OrderDate", "OrderDateKey"], "order_id": "SalesOrderNumber",
                "product_id": "ProductKey", "quantity": "OrderQuantity", "amount": ["SalesAmount", ("ExtendedAmount", "DiscountAmount")]}),
        ),
        ("orders",), {"orders.amount": lines.money}, "USD", {"DimReseller.csv": "ResellerKey", "FactResellerSales.csv": "ResellerKey"},
        ("DimProduct.csv",),
    )  # fmt: skip


COMPANIES = (saas, pipeline, reseller)
