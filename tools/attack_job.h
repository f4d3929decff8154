// SPDX-License-Identifier: Apache-2.0
//
// The work of wsr-attack: from its configuration to an evaluation that is
// done (attack_keys.c, attack_job.c), and what is shown and written of it
// (attack_show.c, attack_write.c); attack_released.c is the measure of the
// research code.

#ifndef WSR_TOOLS_ATTACK_JOB_H
#define WSR_TOOLS_ATTACK_JOB_H

#include "cli.h"

enum { JOB_STRENGTHS = 64, JOB_SHOW = 8 };

typedef struct job {
    float eps[JOB_STRENGTHS];
    size_t n_eps;
    wsr_net *net;
    wsr_model *model;
    wsr_net *source_net; // NULL: attacks work on the network itself
    wsr_model *source;
    wsr_dataset *dataset;
    wsr_spectrum *spectrum; // NULL for the released measure
} job;

/// Print the keys with their defaults, and the attacks, as a part of --help.
wsr_status job_help(void);

/// Check that all keys are known, likewise as job_check().
int job_check_keys(const cli *c);

/// Check the configuration as far as that is possible without files. Returns
/// CLI_GO_ON, or the code to exit with after a mistake that was reported.
int job_check(job *j, const cli *c);

/// Whether the measure of the research code is asked for.
bool job_is_released(const cli *c);

/// Open networks and data, begin or take up the evaluation, and make the
/// folder. `code` is not CLI_GO_ON after a failure that was reported.
wsr_status job_open(int *code, job *j, const cli *c);

/// Evaluate. CANCELED after a signal; the folder then holds a checkpoint.
wsr_status job_run(job *j, cli *c);

/// Evaluate as the research code does, and print what comes out.
wsr_status job_run_released(const job *j, const cli *c);

/// Print the results so far on stdout: a table, or JSON lines with --json.
wsr_status job_show(const cli *c, const job *j);

/// Write the results so far: the images asked for, and results and report into
/// the folder. `code` is not CLI_GO_ON after a failure that was reported.
wsr_status job_write(int *code, const cli *c, const job *j);

void job_free(job *j);

#endif
