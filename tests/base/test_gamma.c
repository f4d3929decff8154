// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

enum { MANY = 100000 };

static double numbers[MANY];

static void draw(double shape)
{
    for (uint32_t i = 0; i < MANY; i++) {
        wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 1, i);
        numbers[i] = wsr__rng_gamma(&rng, shape);
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Largest distance between the distribution of the numbers and `cdf`.
static double distance(double (*cdf)(double))
{
    double worst = 0;
    qsort(numbers, MANY, sizeof(numbers[0]), ascending);
    for (size_t i = 0; i < MANY; i++) {
        const double d = fabs(cdf(numbers[i]) - ((double)i + 0.5) / MANY);
        worst = d > worst ? d : worst;
    }
    return worst;
}

static double half(double x)
{
    return erf(sqrt(x));
}

static double one(double x)
{
    return 1 - exp(-x);
}

static double three(double x)
{
    return 1 - exp(-x) * (1 + x + x * x / 2);
}

// Shapes whose distribution has a formula: chi squared, exponential, Erlang.
START_TEST(the_distribution_is_that_of_its_formula)
{
    static double (*const formulas[])(double) = {half, one, three};
    static const double shapes[] = {0.5, 1, 3};
    for (size_t k = 0; k < 3; k++) {
        draw(shapes[k]);
        // Kolmogorov and Smirnov: above this in one case of a thousand.
        ck_assert_double_lt(distance(formulas[k]), 1.95 / sqrt(MANY));
    }
}
END_TEST

START_TEST(mean_and_variance_are_the_shape)
{
    static const double shapes[] = {0.05, 0.2, 0.8, 2, 100, 1e6};
    for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
        const double shape = shapes[k];
        double sum = 0;
        double squares = 0;
        draw(shape);
        for (size_t i = 0; i < MANY; i++) {
            ck_assert(numbers[i] >= 0);
            sum += numbers[i] - shape;
            squares += (numbers[i] - shape) * (numbers[i] - shape);
        }
        const double error = sqrt(shape / MANY);
        ck_assert_double_lt(fabs(sum / MANY), 4 * error);
        // The kurtosis of the distribution is 3 + 6 / shape.
        ck_assert_double_lt(fabs(squares / MANY / shape - 1),
                            4 * sqrt((2 + 6 / shape) / MANY));
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_distribution_is_that_of_its_formula,
        mean_and_variance_are_the_shape,
        NULL,
    };
    return suite_of("gamma", tests);
}
