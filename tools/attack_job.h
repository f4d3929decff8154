// SPDX-License-Identifier: Apache-2.0
//
// The work of wsr-attack: from its configuration to an evaluation that is
// done.

#ifndef WSR_TOOLS_ATTACK_JOB_H
#define WSR_TOOLS_ATTACK_JOB_H

#include "cli.h"

enum { JOB_STRENGTHS = 64 };

typedef struct job {
    float eps[JOB_STRENGTHS];
    size_t n_eps;
    wsr_net *net;
    wsr_model *model;
    wsr_dataset *dataset;
    wsr_spectrum *spectrum;
} job;

/// Print the keys with their defaults, as a part of --help.
void job_help(void);

/// Check the configuration as far as that is possible without files. Returns
/// CLI_GO_ON, or the code to exit with after a mistake that was reported.
int job_check(job *j, const cli *c);

/// Open network and data, begin or take up the evaluation, and make the
/// folder. `code` is not CLI_GO_ON after a failure that was reported.
wsr_status job_open(int *code, job *j, const cli *c);

/// Evaluate. CANCELED after a signal; the folder then holds a checkpoint.
wsr_status job_run(job *j, cli *c);

/// Write results and report into the folder.
wsr_status job_write(int *code, const cli *c, const job *j);

void job_free(job *j);

#endif
