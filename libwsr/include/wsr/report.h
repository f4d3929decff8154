// SPDX-License-Identifier: Apache-2.0
//
// Reports: what a run wrote into its folder, as one page for a person.

#ifndef WSR_REPORT_H
#define WSR_REPORT_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write DIR/report.html from DIR/log.jsonl, DIR/config.yaml,
 * DIR/genotype.yaml and DIR/images.safetensors, as wsr_eval_save_images()
 * writes it, each of which may be missing.
 *
 * The page is one file that needs nothing else: both cells drawn, accuracy
 * over strengths with 95 % intervals and by class, warnings, the first images
 * with what attacks made of them, losses and accuracies over time, how the
 * time was spent, configuration and environment. It is replaced as a whole or
 * not at all.
 *
 * Every line of the log is a JSON object. Lines with the events "start",
 * "epoch", "genotype", "evaluation" and "done" are used, as are results of
 * wsr_eval_json(), warnings among them; other events and fields are passed
 * over. A last line that was cut off is ignored. Where a line says anew what an
 * earlier one said, as after a resumed run, the later one counts.
 *
 * @param dir [borrowed] folder that exists
 * @returns WSR_IO when a file cannot be read or written; WSR_FORMAT, naming
 *          the line, for a log that does not consist of JSON objects, and for
 *          what is not a genotype; WSR_CONFIG for what is not a configuration;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_report_write(const char *dir);

#ifdef __cplusplus
}
#endif

#endif
