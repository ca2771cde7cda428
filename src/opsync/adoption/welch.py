"""The interval around a ratio of daily values: Welch's, on log(1 + x).

Source: B. L. Welch, "The generalization of Student's problem when several different population
variances are involved", Biometrika 34 (1947). Logarithms, since use changes by a factor, and days
of much use vary more than days of little; 1 + x, since there are days without any.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, expm1, lgamma, log, log1p, sqrt

CONFIDENCE = 0.95


def interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the factor between two series of daily values, each plus one.

    None for fewer than two days on a side, and for values below zero, which have no logarithm.
    """
    if min(len(before), len(after)) < 2 or min(*before, *after) < 0:
        return None
    one, other = [log1p(x) for x in before], [log1p(x) for x in after]
    (mean_one, error_one), (mean_other, error_other) = _mean_error(one), _mean_error(other)
    difference, error = mean_other - mean_one, error_one + error_other
    if error == 0:
        return exp(difference), exp(difference)
    degrees = error**2 / (error_one**2 / (len(one) - 1) + error_other**2 / (len(other) - 1))
    reach = t_quantile((1 + CONFIDENCE) / 2, degrees) * sqrt(error)
    return exp(difference - reach), exp(difference + reach)


def of_values(
    before: Sequence[float], bounds: tuple[float, float] | None
) -> tuple[float, float] | None:
    """An interval of the factor of 1 + x as one of the factor of x, at the usual day before.

    The two are alike where values are large. Of few users a day the first is far nearer to 1 than
    the ratio of the means, so that it would not hold the ratio beside which it is shown. None
    where the usual day before has no use at all.
    """
    usual = expm1(_mean_error([log1p(x) for x in before])[0]) if bounds is not None else 0.0
    if bounds is None or usual <= 0:
        return None
    low, high = (max(0.0, ((1 + usual) * end - 1) / usual) for end in bounds)
    return low, high


def _mean_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its squared standard error."""
    mean = sum(values) / len(values)
    variance = sum((x - mean) ** 2 for x in values) / (len(values) - 1)
    return mean, variance / len(values)


def t_quantile(probability: float, degrees: float) -> float:
    """The quantile of Student's t distribution for a probability over one half, by bisection of
    its distribution function. `degrees` need not be whole."""
    low, high = 0.0, 1.0
    while t_distribution(high, degrees) < probability:
        low, high = high, high * 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if t_distribution(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_distribution(t: float, degrees: float) -> float:
    """The probability of a value up to `t` >= 0 of Student's t distribution."""
    tail = 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t))
    return 1.0 - tail


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x)) / a
    return front * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction, by Lentz's method as W. H. Press et al. give it."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, 10_000):
        m, odd = divmod(step, 2)
        if odd:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / ((1.0 + numerator * d) or tiny)
        c = (1.0 + numerator / c) or tiny
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return 1.0 / value
