// SPDX-License-Identifier: Apache-2.0
//
// The work of wsr-attack: from its configuration to an evaluation that is
// done (attack_job.c), and what is shown and written of it (attack_show.c,
// attack_write.c); attack_help.c has the keys,
// attack_keys.c checks them; attack_released.c is the measure
// of the research code.

#ifndef WSR_TOOLS_ATTACK_JOB_H
#define WSR_TOOLS_ATTACK_JOB_H

#include "cli.h"

enum { JOB_STRENGTHS = 64, JOB_SHOW = 8, JOB_LINE = 1024, JOB_NAME = 48 };

typedef struct job {
    float eps[JOB_STRENGTHS];
    size_t n_eps;
    wsr_net *net;
    wsr_model *model;
    wsr_net *source_net; // NULL: attacks work on the network itself
    wsr_model *source;
    wsr_dataset *dataset;
    wsr_eval *eval;     // NULL for the released measure
    wsr_folder *folder; // NULL without --out
} job;

/// A key of the configuration. The table ends with name NULL.
typedef struct job_key {
    const char *name;
    const char *fallback;
    const char *help;
} job_key;

extern const job_key job_keys[]; // but for the library's options of networks

/// Key `i` of all, those included; `room` holds its name where it is one of
/// them. False beyond the last.
bool job_key_at(job_key *key, char room[JOB_NAME], size_t i);

/// Check that all keys are known. Returns CLI_GO_ON, or the code to exit with
/// after a mistake that was reported.
int job_check_keys(const cli *c);

extern const char *const job_topics[]; // of --help, ended by NULL

/// Print the help on a topic, as cli_tool wants it.
wsr_status job_help(const char *topic);

/// Check the configuration as far as that is possible without files. `code` is
/// not CLI_GO_ON after a failure that was reported.
wsr_status job_check(int *code, job *j, const cli *c);

/// Whether the measure of the research code is asked for.
bool job_is_released(const cli *c);

/// Open networks and data, begin or take up the evaluation, and make the
/// folder. `code` is not CLI_GO_ON after a failure that was reported.
wsr_status job_open(int *code, job *j, const cli *c);

/// Evaluate. CANCELED after a signal; the folder then holds a checkpoint.
wsr_status job_run(job *j, cli *c);

/// Write the checkpoint of an evaluation that has a folder.
wsr_status job_save(const job *j, const cli *c);

/// Evaluate as the research code does, and print what comes out.
wsr_status job_run_released(const job *j, const cli *c);

/// With --json: print the line that begins an evaluation.
void job_print_start(const cli *c);

/// Print the results so far on stdout: a table, or JSON lines with --json.
wsr_status job_show(const cli *c, const job *j);

/// Write the results so far: the images asked for, and results and report into
/// the folder.
wsr_status job_write(const cli *c, const job *j);

/// Whether all steps of the evaluation are done.
bool job_is_done(const job *j);

/// Seconds on a clock that never jumps.
double job_now(void);

/// Seconds that the attacks took.
double job_seconds(const job *j);

/// The lines of the log that begin an evaluation and end one that is done,
/// with line feeds. `line` has JOB_LINE bytes.
void job_start_line(char *line, const cli *c);
void job_done_line(char *line, double seconds);

void job_free(job *j);

#endif
