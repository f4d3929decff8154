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
 * The page is a single file without links to others. It holds its numbers as
 * CSV, JSON and LaTeX and its pictures as SVG, to be saved (docs/formats.md).
 * It shows drawings of both
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

/**
 * Compare evaluation runs over the same images: write OUT/report.html with the
 * curves of all runs and a table of their differences, OUT/differences.csv and
 * OUT/differences.jsonl (docs/json.md).
 *
 * For each pair of runs and each attack and strength that both have, the
 * difference of the accuracies has a 95 % interval for paired images (Newcombe
 * 1998) and the p values of McNemar's test.
 *
 * @param dirs [borrowed] folders of complete runs of wsr_eval_run()
 * @param n number of folders, 2 to 32
 * @param out [borrowed] a new folder
 * @returns WSR_ARG for runs over different images or without a common attack;
 *          WSR_NOTFOUND for a folder without a ledger; WSR_FORMAT for a broken
 *          ledger and for a run that is not complete; WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_report_compare(const char *const *dirs,
                                                   size_t n, const char *out);

#ifdef __cplusplus
}
#endif

#endif
