// The distribution functions that intervals and power need, in double precision. Pure functions;
// checked against scipy (tests/golden/statistics.golden).
#pragma once

#include <cstdint>

namespace twostroke {

// REQUIRES of every quantile: 0 < probability < 1. Degrees of freedom are >= 1.
double normal_cdf(double z);
double normal_quantile(double probability);
double student_t_cdf(double t, double degrees);
double student_t_quantile(double probability, double degrees);
// T = (Z + noncentrality) / sqrt(chi2 / degrees): what a t statistic is when there is an effect.
double noncentral_t_cdf(double t, double degrees, double noncentrality);
// The regularised incomplete beta function I_x(a, b); a, b > 0.
double incomplete_beta(double a, double b, double x);
// P(X <= successes) for X ~ Binomial(trials, probability).
double binomial_cdf(int64_t successes, int64_t trials, double probability);
double binomial_pmf(int64_t successes, int64_t trials, double probability);

}  // namespace twostroke
