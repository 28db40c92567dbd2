"""Answers: what is said of customers, and what to do about them, as typed records."""

from typing import Literal

import msgspec

from features.schema import Group

DriverEffect = Literal["raises", "lowers"]
Tier = Literal["A", "B", "C", "D"]


class Driver(msgspec.Struct, frozen=True):
    """One feature that moved a prediction.

    Args:
        feature: The feature's name.
        value: Its value; text for a categorical one, null where unknown.
        effect: Whether it raises or lowers the prediction, compared with the average customer.
        group: What it is about.
        text: The same in plain words.
    """

    feature: str
    value: float | str | None
    effect: DriverEffect
    group: Group
    text: str


class Drivers(msgspec.Struct, frozen=True):
    """Why a customer's predictions are what they are, the strongest first.

    Args:
        ltv: Of the money over the horizon.
        churn: Of leaving by the last horizon.
    """

    ltv: tuple[Driver, ...]
    churn: tuple[Driver, ...]


class Money(msgspec.Struct, frozen=True):
    """Expected money over the horizon, with its prediction interval.

    Args:
        value: Expected money.
        low: Lower end of the interval; null where the model has none.
        high: Upper end.
        interval: Nominal coverage of the interval.
        horizon_days: Days the money is expected in.
    """

    value: float
    low: float | None
    high: float | None
    interval: float
    horizon_days: int


class Leaving(msgspec.Struct, frozen=True):
    """The probability of having left by a horizon.

    Args:
        days: The horizon.
        probability: 0 to 1.
    """

    days: int
    probability: float


class Prediction(msgspec.Struct, frozen=True):
    """What is predicted for one customer.

    Args:
        customer_id: Who; null where raw rows named nobody.
        status: ``no orders yet`` where there is nothing to predict from; all numbers are then null.
        ltv: Money over the horizon.
        lifetime_value: Money of the horizon and all time after it; null where it has no end.
        churn: Probability of leaving, by horizon.
        tier: Value tier, A is the best.
        drivers: Only where they were asked for.
    """

    customer_id: str | None
    status: Literal["ok", "no orders yet"]
    ltv: Money | None = None
    lifetime_value: float | None = None
    churn: tuple[Leaving, ...] | None = None
    tier: Tier | None = None
    drivers: Drivers | None = None


class Answer(msgspec.Struct, frozen=True):
    """Predictions, and what they rest on.

    Args:
        predictions: In the order asked for.
        as_of: The moment the features are of, ISO with zone offset: the snapshot's, or the one asked for.
        currency: ISO 4217 code of all money.
        models: Version of each model.
    """

    predictions: tuple[Prediction, ...]
    as_of: str
    currency: str
    models: dict[str, int]


class Gain(msgspec.Struct, frozen=True):
    """Money that an arm is expected to add over the horizon, against being left alone.

    Args:
        value: Expected incremental margin; below 0 where the arm does harm.
        low: Lower end of the interval of the mean gain of customers like this one; null where the
            model has none.
        high: Upper end.
        level: Nominal coverage of the interval.
        horizon_days: Days the money is expected in.
    """

    value: float
    low: float | None
    high: float | None
    level: float
    horizon_days: int


class Action(msgspec.Struct, frozen=True):
    """One arm, for one customer.

    Args:
        arm: Its name.
        incremental_ltv: What it is expected to add.
        cost: What it costs.
        net_value: Expected gain less cost.
        proven: Whether the whole interval of its gain lies above 0. The arm with the highest net value
            is chosen in any case: it is the best guess, proven or not.
    """

    arm: str
    incremental_ltv: Gain
    cost: float
    net_value: float
    proven: bool


class Recommendation(msgspec.Struct, frozen=True):
    """What to do about one customer.

    Args:
        customer_id: Who.
        status: Always ``ok``: there is an answer for customers without orders, too.
        chosen: The arm to give; null to leave the customer alone.
        actions: All arms asked for, the highest net value first.
    """

    customer_id: str
    status: Literal["ok"]
    chosen: str | None
    actions: tuple[Action, ...]


class Recommendations(msgspec.Struct, frozen=True):
    """What to do about customers, and what that rests on.

    Args:
        recommendations: In the order asked for.
        as_of: The moment the features are of, ISO with zone offset.
        currency: ISO 4217 code of all money.
        models: Version of the model.
        experiment: The experiment it was learnt from.
        control: The arm there that was left alone, which gains are against.
        proven: Whether it was shown that it matters who is treated.
        observational: Whether arms had been chosen by somebody and not drawn.
        note: What the last two mean, in plain words.
        spent: Cost of all that was chosen; a customer asked for twice is treated once.
        expected_net: Expected gain less cost of all that was chosen.
    """

    recommendations: tuple[Recommendation, ...]
    as_of: str
    currency: str
    models: dict[str, int]
    experiment: str
    control: str
    proven: bool
    observational: bool
    note: str
    spent: float
    expected_net: float
