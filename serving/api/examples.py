"""Examples: what requests, answers and errors look like in the service's description."""

from features.catalogue.orders import SINCE_LAST_ORDER, SPENT_WITHIN
from features.catalogue.phrases import phrases
from features.catalogue.sets import PURCHASES
from serving.api.wire import ErrorDetail
from serving.predictor.answers import (
    Action,
    Answer,
    Driver,
    DriverEffect,
    Drivers,
    Gain,
    Leaving,
    Money,
    Prediction,
    Recommendation,
    Recommendations,
)
from serving.predictor.recommender import NO_UPLIFT

_CURRENCY = "JPY"


def _driver(feature: str, value: float, effect: DriverEffect, what: str) -> Driver:
    phrase = phrases(PURCHASES)[feature]
    return Driver(feature, value, effect, phrase.group, f"{phrase.say(value, _CURRENCY)} ({effect} {what})")


ANSWER = Answer(
    predictions=(
        Prediction(
            customer_id="A-1001",
            status="ok",
            ltv=Money(1_250_000.0, 410_000.0, 2_900_000.0, 0.9, 365),
            lifetime_value=3_875_000.0,
            churn=(Leaving(30, 0.021), Leaving(60, 0.038), Leaving(90, 0.052)),
            tier="A",
            drivers=Drivers(
                ltv=(_driver(SPENT_WITHIN[365], 1_480_000.0, "raises", "the expected value"),),
                churn=(_driver(SINCE_LAST_ORDER, 12.0, "lowers", "the risk of leaving"),),
            ),
        ),
    ),
    as_of="2026-01-01T00:00:00+09:00",
    currency=_CURRENCY,
    models={"ltv": 3, "churn": 5},
)
RECOMMENDED = Recommendations(
    recommendations=(
        Recommendation(
            customer_id="A-1001",
            status="ok",
            chosen="renewal-call",
            actions=(
                Action("renewal-call", Gain(84_000.0, 31_000.0, 137_000.0, 0.95, 365), 12_000.0, 72_000.0, True),
                Action("onboarding-emails", Gain(2_500.0, -9_000.0, 14_000.0, 0.95, 365), 400.0, 2_100.0, False),
            ),
        ),
    ),
    as_of="2026-01-01T00:00:00+09:00",
    currency=_CURRENCY,
    models={"uplift": 2},
    experiment="recommendations-2024",
    control="control",
    proven=True,
    observational=False,
    note="proven: in recommendations-2024 the order of customers was better than chance, so gains differ by customer",
    spent=12_000.0,
    expected_net=72_000.0,
)  # fmt: skip
HISTORY = {
    "as_of": "2026-01-01T00:00:00+09:00",
    "customers": [{"created_at": "2024-03-01", "industry": "manufacturing", "country": "JP"}],
    "orders": [
        {
            "occurred_at": "2024-03-14T10:12:00",
            "order_id": "S-1",
            "product_id": "P-7",
            "quantity": 4,
            "amount": 88000,
        },
        {
            "occurred_at": "2025-11-02T16:40:00",
            "order_id": "S-2",
            "product_id": "P-7",
            "quantity": 6,
            "amount": 132000,
        },
    ],
}
ERRORS = {
    "401": ("No valid API key, where keys are set.", ErrorDetail("unauthorized", "send an API key as `authorization: Bearer KEY` or `x-api-key: KEY`")),
    "403": ("The key does not open this route.", ErrorDetail("forbidden", "this key does not open /predict; it takes one with the scope predict")),
    "408": ("The request did not arrive in time.", ErrorDetail("too_slow", "the request did not arrive in time; send it again")),
    "421": ("The Host header names another server.", ErrorDetail("wrong_host", "this server is not known by that name; start it with `--allow-host NAME`")),
    "431": ("Too many headers, or too long ones.", ErrorDetail("headers_too_large", "a request may have 100 headers and 32,768 bytes of them and its address")),
    "404": ("A customer is not in the snapshot; all of them are named.", ErrorDetail("unknown_customer", "no such customer in the snapshot: A-9999", "customer_ids", ["A-9999"])),
    "409": ("Nothing recommends: no uplift model was promoted, or it cannot be used.", ErrorDetail("no_uplift", NO_UPLIFT)),
    "413": ("The body is too large.", ErrorDetail("too_large", "the body may have 8,388,608 bytes; send fewer rows or ids")),
    "422": ("The body is wrong; the field is named.", ErrorDetail("bad_field", "orders[3].amount: must be a number, not 'abc'", "orders[3].amount")),
    "503": ("Not ready: no champion, no snapshot, or files that do not belong together. Or busy or stopping: see Retry-After.", ErrorDetail("not_ready", "there is no snapshot; run `tokui snapshot`")),
}  # fmt: skip
