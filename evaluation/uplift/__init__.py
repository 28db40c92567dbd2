"""Rankings, policies and what they are worth, from arrays."""

from evaluation.uplift.curves import Curve, qini_curve, toc_curve
from evaluation.uplift.doubly_robust import aipw, arm_values
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.policy import Threshold, choose, thresholds
from evaluation.uplift.policy_value import GainCurve, gain_curve, policy_test
from evaluation.uplift.ranking import Ranking, Rate, rate
from evaluation.uplift.selection import Repeat, Selection, select

__all__ = [
    "Curve",
    "GainCurve",
    "HalfSamples",
    "Ranking",
    "Rate",
    "Repeat",
    "Selection",
    "Threshold",
    "aipw",
    "arm_values",
    "choose",
    "gain_curve",
    "policy_test",
    "qini_curve",
    "rate",
    "select",
    "thresholds",
    "toc_curve",
]
