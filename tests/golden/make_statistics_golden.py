#!/usr/bin/env python3
"""Writes statistics.golden, which src/measure/statistics' unit test reads: what scipy and numpy say.

    make_statistics_golden.py FILE      write it
    make_statistics_golden.py --check FILE   compare it with what the installed scipy says

One case a line: name, arguments, "=", results; repr of float64, so nothing is lost.
"""
import sys

import numpy as np
from scipy import stats
from scipy.special import betainc


def line(name, arguments, results):
    number = lambda value: repr(float(value))
    return f"{name} {' '.join(map(number, arguments))} = {' '.join(map(number, results))}"


def cases():
    for z in (-37.0, -8.0, -3.1, -1.0, 0.0, 0.3, 1.959963984540054, 6.0):
        yield line("normal_cdf", [z], [stats.norm.cdf(z)])
    for p in (1e-300, 1e-12, 0.001, 0.025, 0.5, 0.8, 0.975, 0.999999):
        yield line("normal_quantile", [p], [stats.norm.ppf(p)])
    for degrees in (1, 2, 4, 9, 29.5, 1000):
        for t in (-40.0, -2.5, -0.01, 0.0, 1.0, 12.0):
            yield line("student_t_cdf", [t, degrees], [stats.t.cdf(t, degrees)])
        for p in (1e-6, 0.025, 0.4, 0.8, 0.975, 0.9999):
            yield line("student_t_quantile", [p, degrees], [stats.t.ppf(p, degrees)])
        for delta in (0.0, 0.5, 2.8, 6.0):
            for t in (-1.0, 0.5, 2.26, 5.0):
                yield line("noncentral_t_cdf", [t, degrees, delta], [stats.nct.cdf(t, degrees, delta)])
    for a, b, x in ((0.5, 0.5, 0.1), (2, 3, 0.5), (50, 0.5, 0.99), (1e4, 2e4, 0.33), (1, 1, 0.7), (0.5, 500, 1e-4)):
        yield line("incomplete_beta", [a, b, x], [betainc(a, b, x)])
    for k, n, p in ((0, 10, 0.05), (3, 10, 0.3), (9, 10, 0.9), (120, 2000, 0.05), (297, 299, 0.99)):
        yield line("binomial_cdf", [k, n, p], [stats.binom.cdf(k, n, p)])
        yield line("binomial_pmf", [k, n, p], [stats.binom.pmf(k, n, p)])
    for hits, total in ((0, 20), (19, 20), (20, 20), (480, 1000)):
        interval = stats.binomtest(hits, total).proportion_ci(0.95, method="wilson")
        yield line("wilson", [hits, total], [interval.low, interval.high])
    random = np.random.default_rng(8)
    for count in (1, 2, 7, 100):
        values = random.lognormal(size=count)
        for q in (0.0, 0.25, 0.5, 0.9, 0.99, 1.0):
            yield line("quantile", [q, *values], [np.percentile(values, 100 * q)])
    for count in (6, 10, 13):
        values = random.normal(0.4, 1, size=count)
        test = stats.permutation_test((values,), lambda v, axis: v.mean(axis=axis), permutation_type="samples",
                                      n_resamples=np.inf, vectorized=True)
        yield line("sign_flip", values, [test.pvalue])
        low, high = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values))
        yield line("paired_effect", values, [values.mean(), values.std(ddof=1), low, high])
        walsh = [(a + b) / 2 for i, a in enumerate(values) for b in values[i:]]
        yield line("hodges_lehmann", values, [np.median(walsh)])
    for p_values in ([0.01, 0.04], [0.04, 0.01], [0.03, 0.03], [0.5, 0.9], [0.01, 0.02, 0.03, 0.005]):
        yield line("holm", p_values, holm(p_values))
    for effect, count, alpha in ((1.0, 10, 0.05), (0.5, 30, 0.025), (2.0, 5, 0.05), (0.0, 12, 0.05)):
        yield line("paired_t_power", [effect, count, alpha], [t_power(effect, count, alpha)])


def holm(p_values):
    """Straight from the definition: reject at alpha while the k-th smallest is <= alpha / (m - k)."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    for rank, index in enumerate(order):
        adjusted[index] = min(1.0, max((len(p_values) - r) * p_values[order[r]] for r in range(rank + 1)))
    return adjusted


def t_power(effect, count, alpha):
    critical = stats.t.ppf(1 - alpha / 2, count - 1)
    delta = effect * np.sqrt(count)
    return stats.nct.sf(critical, count - 1, delta) + stats.nct.cdf(-critical, count - 1, delta)


def check(path):
    """Another scipy may differ in the last digits."""
    with open(path) as golden:
        written = golden.read().splitlines()
    made = list(cases())
    if len(written) != len(made):
        sys.exit(f"{path} has {len(written)} cases, expected {len(made)}")
    for old, new in zip(written, made):
        (name, old_results), (new_name, new_results) = old.split(" = "), new.split(" = ")
        same = np.allclose([float(v) for v in old_results.split()], [float(v) for v in new_results.split()],
                           rtol=1e-9, atol=1e-12)
        if name != new_name or not same:
            sys.exit(f"differs:\n  {old}\n  {new}")
    print(f"{len(made)} cases agree")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        with open(sys.argv[1], "w") as out:
            out.writelines(case + "\n" for case in cases())
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
