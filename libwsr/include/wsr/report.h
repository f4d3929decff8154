// SPDX-License-Identifier: Apache-2.0
//
// Reports: an HTML page about a run, made from the files in the run's folder.

#ifndef WSR_REPORT_H
#define WSR_REPORT_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write DIR/report.html from DIR/log.jsonl, DIR/config.yaml,
 * DIR/genotype.yaml and DIR/images.safetensors (a file of
 * wsr_eval_save_images()). Any of these files may be missing.
 *
 * The page is a single file without links to others. It shows drawings of both
 * cells, accuracy over strengths with 95 % intervals, accuracy by class,
 * warnings, the first images beside their adversarial images, losses and
 * accuracies over time, the shares of the time, configuration and environment.
 * The file is replaced as a whole or not at all.
 *
 * Every line of the log must be a JSON object. The report uses lines with the
 * events "start", "epoch", "genotype", "eval", "summary", "curve", "warning"
 * and "done",
 * and ignores other events and fields as well as an incomplete last line. If
 * two lines give the same value, as after a resumed run, the later line counts.
 *
 * @param dir [borrowed] an existing folder
 * @returns WSR_IO when a file cannot be read or written; WSR_FORMAT, naming
 *          the line, for a log with a line that is not a JSON object, and for a
 *          genotype.yaml without a genotype; WSR_CONFIG for a config.yaml
 *          without a configuration; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_report_write(const char *dir);

#ifdef __cplusplus
}
#endif

#endif
