// SPDX-License-Identifier: Apache-2.0

#include "attack_verify.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_row(const wsr_verify_row *r)
{
    printf("%-24.24s %-4s %7.4f %7zu %8zu %7zu %10zu %5zu %5zu %10zu %9.5f\n",
           r->name, r->norm, r->eps, r->images, r->claimed, r->misclassified,
           r->recognised, r->outside_ball, r->outside_range, r->not_finite,
           r->largest);
}

// A sentence about the worst image of an array.
static void print_worst(const wsr_verify_row *r)
{
    static const char *const words[][2] = {
        {"recognised", "is called adversarial, but recognised; its logit leads "
                       "by"},
        {"ball", "lies outside the ball, by"},
        {"range", "has a pixel outside [0, 1], by"},
        {"not_finite", "has a pixel that is no finite number"}};
    for (size_t i = 0; r->worst != NULL && i < 4; i++) {
        if (strcmp(words[i][0], r->worst) == 0) {
            printf("violated: image %zu of %s %s", r->worst_image, r->name,
                   words[i][1]);
            printf(isnan(r->worst_by) ? "\n" : " %.3g\n", r->worst_by);
        }
    }
}

static wsr_status show_json(const wsr_verification *v)
{
    char *lines = NULL;
    const wsr_status status = wsr_verification_json(&lines, v);
    printf("%s", lines == NULL ? "" : lines);
    wsr_text_free(lines);
    return status;
}

static wsr_status show(const cli *c, const wsr_verification *v)
{
    const wsr_verify_row *rows = NULL;
    const size_t n = wsr_verification_rows(&rows, v);
    if (c->json || c->quiet) {
        return c->json ? show_json(v) : WSR_OK;
    }
    printf("%-24s %-4s %7s %7s %8s %7s %10s %5s %5s %10s %9s\n", "array",
           "norm", "eps", "images", "claimed", "fooled", "recognised", "ball",
           "range", "not finite", "largest");
    for (size_t i = 0; i < n; i++) {
        print_row(&rows[i]);
    }
    for (size_t i = 0; i < n; i++) {
        print_worst(&rows[i]);
    }
    printf("%zu violations\n", wsr_verification_violations(v));
    return WSR_OK;
}

int attack_verify(cli *c)
{
    wsr_verification *v = NULL;
    if (c->dry_run || c->resume != NULL) {
        const int code = cli_usage(c, "--verify goes with neither --dry-run "
                                      "nor --resume");
        (void)cli_end(c, WSR_OK);
        return code;
    }
    wsr_status status = wsr_verify_run(&v, c->config, c->out);
    const bool violated = v != NULL && wsr_verification_violations(v) > 0;
    if (v != NULL) {
        status = show(c, v);
    }
    wsr_verification_free(v);
    const int code = cli_end(c, status);
    return code == CLI_DONE && violated ? CLI_FAILED : code;
}
