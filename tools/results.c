// SPDX-License-Identifier: Apache-2.0

#include "results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// A help text of the library on stdout.
wsr_status results_help(results_topic help, const char *topic)
{
    char *text = NULL;
    const wsr_status status = help(&text, topic);
    printf("%s", text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

// A line of the log goes to stdout with --json. Returns whether there was one.
bool results_line(const cli *c, const wsr_progress *progress)
{
    if (progress->line != NULL && c->json) {
        printf("%s\n", progress->line);
        (void)fflush(stdout); // cli_end() looks for failures
    }
    return progress->line != NULL;
}

static void print_cell(const wsr_eval *eval, size_t a, size_t e)
{
    printf("  %-12s at %-7.4g %5.1f %%  (%.1f to %.1f)\n",
           wsr_attack_name(wsr_eval_attack(eval, a)),
           (double)wsr_eval_eps(eval, e),
           100 * wsr_eval_get(eval, a, e, WSR_EVAL_ROBUST),
           100 * wsr_eval_get(eval, a, e, WSR_EVAL_LOW),
           100 * wsr_eval_get(eval, a, e, WSR_EVAL_HIGH));
}

// The evaluation as a short table; wsr-attack has a longer one.
void results_eval(const cli *c, const wsr_result *result)
{
    const wsr_eval *const eval = wsr_result_eval(result);
    if (c->quiet || c->json || eval == NULL) {
        return;
    }
    printf("accuracy of %zu test images under attack:\n",
           wsr_eval_count(eval, 0));
    for (size_t a = 0; a < wsr_eval_attacks(eval); a++) {
        for (size_t e = 0; e < wsr_eval_strengths(eval); e++) {
            print_cell(eval, a, e);
        }
    }
    for (size_t a = 0; a < wsr_eval_attacks(eval); a++) {
        const double mean = wsr_eval_mean(eval, a);
        if (!isnan(mean)) { // there are strengths above 0
            printf("  %-12s mean       %5.1f %%\n",
                   wsr_attack_name(wsr_eval_attack(eval, a)), 100 * mean);
        }
    }
}

int results_run(cli *c, wsr_status (*run)(cli *c))
{
    static const char folder[] = "dir: ";
    const wsr_status status = run(c);
    // Without a folder a run gets as far as its configuration is right.
    if (status == WSR_ARG && c->out == NULL &&
        strncmp(wsr_error_detail(), folder, sizeof(folder) - 1) == 0) {
        const int code =
            cli_usage(c, "--out: a folder for the results is needed");
        (void)cli_end(c, WSR_OK);
        return code;
    }
    return cli_end(c, status);
}
