// SPDX-License-Identifier: Apache-2.0
//
// The measure of the research code, on request: for comparing with published
// numbers, not a measure of robustness.

#include "attack_job.h"

#include <stdio.h>
#include <string.h>

static void print_result(const cli *c, float eps, double accuracy)
{
    if (c->json) {
        printf("{\"event\":\"released\",\"attack\":\"pgd\",\"norm\":\"linf\","
               "\"fidelity\":\"released\",\"eps\":%.9g,"
               "\"robust_accuracy\":%.9g}\n",
               (double)eps, accuracy);
    } else if (!c->quiet) {
        printf("%-12s %-4s %7.4f  %5.1f %%\n", "pgd", "linf", (double)eps,
               100.0 * accuracy);
    }
}

// "pgd:steps=20,rel_length=2.5", batch and count as the library takes them.
// What does not fit has no end, which the library will not understand.
static void options_of(char *out, size_t size, const cli *c)
{
    const char *const list = wsr_config_text(c->config, "attack.list");
    const char *const batch = wsr_config_text(c->config, "attack.batch");
    const char *const count = wsr_config_text(c->config, "attack.count");
    const char *const given =
        list != NULL && strncmp(list, "pgd:", 4) == 0 ? list + 4 : "";
    (void)snprintf(out, size, "%s%sbatch=%s,count=%s", given,
                   given[0] == '\0' ? "" : ",", batch == NULL ? "32" : batch,
                   count == NULL ? "0" : count);
}

wsr_status job_run_released(const job *j, const cli *c)
{
    char options[1024];
    double accuracy[JOB_STRENGTHS];
    options_of(options, sizeof(options), c);
    char line[JOB_LINE];
    const double begin = job_now();
    cli_let_go();
    job_print_start(c);
    const wsr_status status = wsr_eval_released(accuracy, j->net, j->dataset,
                                                j->eps, j->n_eps, options);
    if (status == WSR_OK && !c->json && !c->quiet) {
        printf("as the research code measures, which is no measure of "
               "robustness\n\n%-12s %-4s %7s  %7s\n",
               "attack", "norm", "eps", "robust");
    }
    for (size_t e = 0; status == WSR_OK && e < j->n_eps; e++) {
        print_result(c, j->eps[e], accuracy[e]);
    }
    if (status == WSR_OK && c->json) {
        job_done_line(line, job_now() - begin);
        printf("%s", line);
    }
    return status;
}
