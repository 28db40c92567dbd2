"""How many accounts an experiment needs, and how long."""

from evaluation.planning.aacheck import AACheck, aa_check
from evaluation.planning.duration import Duration, estimate_duration
from evaluation.planning.power import PowerAt, multiplicative, plan_by_resampling
from evaluation.planning.sizes import Design, Plan, minimum_detectable_effect, plan_mean, ratio_sd

__all__ = [
    "AACheck",
    "Design",
    "Duration",
    "Plan",
    "PowerAt",
    "aa_check",
    "estimate_duration",
    "minimum_detectable_effect",
    "multiplicative",
    "plan_by_resampling",
    "plan_mean",
    "ratio_sd",
]
