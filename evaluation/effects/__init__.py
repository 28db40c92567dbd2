"""Effects of treatments and their intervals, from arrays."""

from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import Effect, mean_effect, ratio_effect
from evaluation.effects.multiplicity import benjamini_hochberg, holm
from evaluation.effects.returns import Calibration, Surrogate, calibration, long_term_effect, net_return, roi
from evaluation.effects.sampleratio import SampleRatio, check_ratio, check_trial
from evaluation.effects.segments import SegmentEffect, Segments, segment_effects
from evaluation.effects.sequential import Look, confidence_sequence
from evaluation.effects.trial import Trial
from evaluation.effects.winsor import Winsorised, winsorise

__all__ = [
    "Analysis",
    "Calibration",
    "Effect",
    "Look",
    "SampleRatio",
    "SegmentEffect",
    "Segments",
    "Surrogate",
    "Trial",
    "Winsorised",
    "benjamini_hochberg",
    "calibration",
    "check_ratio",
    "check_trial",
    "confidence_sequence",
    "holm",
    "long_term_effect",
    "mean_effect",
    "net_return",
    "ratio_effect",
    "roi",
    "segment_effects",
    "winsorise",
]
