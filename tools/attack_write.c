// SPDX-License-Identifier: Apache-2.0
//
// What wsr-attack leaves in files: results.jsonl, results.csv, the first
// images, and the log from which the report is made.

#include "attack_job.h"
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool job_is_done(const job *j)
{
    return wsr_eval_position(j->eval) == wsr_eval_steps(j->eval);
}

double job_seconds(const job *j)
{
    const wsr_eval *const s = j->eval;
    double sum = 0.0;
    for (size_t a = 0; a < wsr_eval_attacks(s); a++) {
        for (size_t e = 0; e < wsr_eval_strengths(s); e++) {
            const double part = wsr_eval_get(s, a, e, WSR_EVAL_SECONDS);
            sum += part > 0.0 ? part : 0.0; // none of attacks not begun
        }
    }
    return sum;
}

// What --json prints, which the report reads.
static wsr_status write_log(const cli *c, const job *j, const char *results)
{
    char begin[JOB_LINE];
    char end[JOB_LINE] = "";
    const size_t size = strlen(results) + sizeof(begin) + sizeof(end);
    char *const text = malloc(size);
    if (text == NULL) {
        return WSR_NOMEM;
    }
    job_start_line(begin, c);
    if (job_is_done(j)) {
        job_done_line(end, job_seconds(j));
    }
    (void)snprintf(text, size, "%s%s%s", begin, results, end);
    const wsr_status status = wsr_folder_write(j->folder, "log.jsonl", text);
    free(text);
    return status;
}

static wsr_status write_texts(const cli *c, const job *j, const char *json,
                              const char *csv)
{
    wsr_status status = wsr_folder_write(j->folder, "results.jsonl", json);
    if (status == WSR_OK) {
        status = wsr_folder_write(j->folder, "results.csv", csv);
    }
    return status == WSR_OK ? write_log(c, j, json) : status;
}

// Images that all attacks are done with.
static size_t images_done(const wsr_eval *s)
{
    // The last attack is the last to see a batch.
    return wsr_eval_count(s, wsr_eval_attacks(s) - 1);
}

static wsr_status write_images(const cli *c, const job *j)
{
    const char *const save = wsr_config_text(c->config, "attack.save");
    const char *const show = wsr_config_text(c->config, "attack.show");
    const long shown = show == NULL ? JOB_SHOW : strtol(show, NULL, 10);
    wsr_status status = WSR_OK;
    if (images_done(j->eval) == 0) {
        return WSR_OK; // interrupted before there were any
    }
    if (save != NULL) {
        status = wsr_eval_save_images(j->eval, 0, save);
    }
    if (status == WSR_OK && c->out != NULL && shown > 0) {
        status = wsr_eval_save_images(j->eval, (size_t)shown,
                                      out_path(c, "images.safetensors"));
    }
    return status;
}

wsr_status job_write(const cli *c, const job *j)
{
    char *json = NULL;
    char *csv = NULL;
    wsr_status status = write_images(c, j);
    if (status != WSR_OK || c->out == NULL) {
        return status;
    }
    status = wsr_eval_json(&json, j->eval);
    if (status == WSR_OK) {
        status = wsr_eval_csv(&csv, j->eval);
    }
    if (status == WSR_OK) {
        status = write_texts(c, j, json, csv);
    }
    if (status == WSR_OK) {
        status = wsr_report_write(c->out);
    }
    wsr_text_free(json);
    wsr_text_free(csv);
    return status;
}
