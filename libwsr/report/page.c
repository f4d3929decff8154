// SPDX-License-Identifier: Apache-2.0
//
// The page around the pictures: heading, sections in their order,
// configuration, environment. It is well-formed XML as well as HTML, so that
// tests and other programs can read it strictly. It holds everything itself,
// style sheet, pictures and numbers, and loads nothing.

#include "report/report.h"
#include "report/runs.h"
#include "space/space.h"

#include <math.h>
#include <string.h>

// ------------------------------------------------------------------- heading

// Logs name the work, "search", or the program that did it. Constants, so they
// need no escaping.
static const char *title_of(const wsr__report *report)
{
    static const char *const titles[][2] = {{"search", "Architecture search"},
                                            {"train", "Training"},
                                            {"attack", "Robustness"},
                                            {"compare", "Comparison of runs"},
                                            {"estimate", "Estimators"}};
    const char *tool = report->tool == NULL ? "" : report->tool;
    tool += strncmp(tool, "wsr-", 4) == 0 ? 4 : 0;
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (wsr__streq(tool, titles[i][0])) {
            return titles[i][1];
        }
    }
    return "Report";
}

// A tile is a number with its name above it. Names are constants of this file.
static void begin_tile(wsr__str *out, const char *name)
{
    wsr__str_addf(out, "<div><dt>%s</dt><dd>", name);
}

// Closes what begin_tile() opened.
static void end_tile(wsr__str *out)
{
    wsr__str_add(out, "</dd></div>\n");
}

// The last curve is the one that a run ends with; its largest strength. Points
// of a curve are sorted by strength.
static void add_accuracy_tiles(wsr__str *out, const wsr__report *report)
{
    if (report->n_curves == 0 || report->n_differences > 0 ||
        report->curves[report->n_curves - 1].n == 0) {
        return;
    }
    const wsr__report_curve *const c = &report->curves[report->n_curves - 1];
    const wsr__report_strength *const p = &c->points[c->n - 1];
    if (!isnan(p->clean)) {
        begin_tile(out, "clean accuracy");
        wsr__html_number(out, p->clean, true);
        end_tile(out);
    }
    wsr__str_add(out, "<div><dt>under ");
    wsr__html_text(out, c->attack[0] == '\0' ? "attack" : c->attack);
    wsr__str_add(out, " at ");
    wsr__html_eps(out, p->eps);
    wsr__str_add(out, "</dt><dd>");
    wsr__html_number(out, p->robust, true);
    end_tile(out);
}

// Of the longest series: phases may have different numbers of epochs. Errors of
// estimates have a point before the first epoch.
static size_t epochs_of(const wsr__report *report)
{
    size_t most = 0;
    for (size_t i = 0; i < report->n_series; i++) {
        const wsr__report_series *const s = &report->series[i];
        if (s->kind != WSR__REPORT_MSE) {
            most = s->n > most ? s->n : most;
        }
    }
    return most;
}

// Nothing at all where there is nothing to show.
static void add_tiles(wsr__str *out, const wsr__report *report)
{
    const size_t epochs = epochs_of(report);
    if ((report->n_curves == 0 || report->n_differences > 0) && epochs == 0 &&
        isnan(report->seconds) && report->seed == NULL) {
        return;
    }
    wsr__str_add(out, "<dl class=\"tiles\">\n");
    add_accuracy_tiles(out, report);
    if (epochs > 0) {
        begin_tile(out, "epochs");
        wsr__str_addf(out, "%zu", epochs);
        end_tile(out);
    }
    if (!isnan(report->seconds)) {
        begin_tile(out, "time");
        wsr__html_seconds(out, report->seconds);
        end_tile(out);
    }
    if (report->seed != NULL) {
        begin_tile(out, "seed");
        wsr__html_text(out, report->seed);
        end_tile(out);
    }
    wsr__str_add(out, "</dl>\n");
}

// Texts of the run are escaped: they may hold anything.
static void add_heading(wsr__str *out, const wsr__report *report)
{
    wsr__str_addf(out, "<header><h1>%s</h1>\n<p>", title_of(report));
    wsr__html_text(out, report->tool == NULL ? "libwsr" : report->tool);
    if (report->genotype != NULL) {
        wsr__str_add(out, " · genotype ");
        wsr__html_text(out, wsr_genotype_name(report->genotype));
    }
    wsr__str_add(out, "</p>\n");
    add_tiles(out, report);
    wsr__str_add(out, "</header>\n");
}

// --------------------------------------------------------------------- cells

static void add_evidence(wsr__str *out, const wsr__report *report)
{
    if (report->evidence != NULL) {
        wsr__str_add(out, "<p>");
        wsr__html_text(out, report->evidence);
        wsr__str_add(out, "</p>\n");
    }
}

// Only where the run has or found a genotype.
static wsr_status add_cells(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    if (report->genotype == NULL) {
        return WSR_OK;
    }
    if (wsr_genotype_space(report->genotype) != NULL) {
        wsr__str text = {0};
        wsr__genotype_print_line(&text, report->genotype);
        WSR_TRY(wsr__str_status(&text));
        wsr__html_heading(out, "Cell");
        wsr__str_add(out, "<p><code>");
        wsr__html_text(out, text.s);
        wsr__str_add(out, "</code></p>\n");
        wsr__str_free(&text);
        return WSR_OK;
    }
    wsr__html_heading(out, "Cells");
    wsr__str_add(out,
                 "<p>Every node adds what its two edges "
                 "bring; the output joins the nodes that lead to it.</p>\n");
    for (int cell = 0; cell < 2; cell++) {
        WSR_TRY(wsr__svg_cell(out, report->genotype, (wsr_genotype_cell)cell));
    }
out:
    return status;
}

// --------------------------------------------------------------- accuracies

// Curves of one norm share a picture, at the place of the first of them.
static bool is_first_of_norm(const wsr__report *report, size_t curve)
{
    for (size_t i = 0; i < curve; i++) {
        if (wsr__streq(report->curves[i].norm, report->curves[curve].norm)) {
            return false;
        }
    }
    return true;
}

// Unknown norms are shown by their own name.
static void add_norm(wsr__str *out, const char *norm)
{
    static const char *const names[][2] = {
        {"linf", "L∞ ball: no pixel changes by more than the strength"},
        {"l2", "L2 ball: Euclidean length of the change"},
        {"l1", "L1 ball: sum of the absolute changes"}};
    for (size_t i = 0; i < 3; i++) {
        if (wsr__streq(norm, names[i][0])) {
            wsr__str_add(out, names[i][1]);
            return;
        }
    }
    wsr__html_text(out, norm[0] == '\0' ? "Strength" : norm);
}

// What counts as robust differs for targeted attacks, so the page says it.
static void add_target(wsr__str *out, const wsr__report *report)
{
    int64_t label = -1;
    const char *const one =
        report->config == NULL
            ? NULL
            : wsr_config_text(report->config, "attack.target_class");
    const char *const other =
        report->config == NULL
            ? NULL
            : wsr_config_text(report->config, "attack.target");
    if (one != NULL && wsr__parse_int(&label, one) && label >= 0) {
        wsr__str_addf(out, "<p>Attacks towards class %lld", (long long)label);
        wsr__html_class(out, report, (size_t)label);
        wsr__str_add(out, ", whose own images are left out. An image counts "
                          "where it is recognised without the attack and not "
                          "taken for that class under it.</p>\n");
    } else if (other != NULL && !wsr__streq(other, "none")) {
        wsr__str_add(out, "<p>Attacks towards one class per image (");
        wsr__html_text(out, other);
        wsr__str_add(out, "). An image counts where it is recognised without "
                          "the attack and not taken for that class under "
                          "it.</p>\n");
    }
}

static wsr_status add_spectrum(wsr__str *out, const wsr__report *report,
                               const char *norm)
{
    wsr_status status = WSR_OK;
    wsr__str name = {0};
    wsr__str_addf(&name, "accuracy-%s", norm);
    WSR_TRY(wsr__str_status(&name));
    wsr__str_add(out, "<h3>");
    add_norm(out, norm);
    wsr__str_add(out, "</h3>\n");
    WSR_TRY(wsr__svg_accuracy(out, report, norm, name.s));
    wsr__html_table(out, report, norm);
    WSR_TRY(wsr__html_save_latex(out, report, norm));
out:
    wsr__str_free(&name);
    return status;
}

// A picture and a table for each norm: strengths of different norms have no
// common axis.
static wsr_status add_accuracies(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    if (report->n_curves == 0) {
        return WSR_OK;
    }
    wsr__html_heading(out, "Accuracy over strengths");
    wsr__str_add(out, "<p>Share of images "
                      "that are recognised in spite of the attack. Bars are "
                      "95 % intervals (Wilson). Strengths are in the unit of "
                      "the pixels, which range from 0 to 1.</p>\n");
    add_target(out, report);
    for (size_t i = 0; i < report->n_curves; i++) {
        const char *const norm = report->curves[i].norm;
        if (is_first_of_norm(report, i)) {
            WSR_TRY(add_spectrum(out, report, norm));
        }
    }
    WSR_TRY(wsr__html_save_accuracies(out, report));
out:
    return status;
}

// ---------------------------------------------------------------- over time

// Whether the phase has any series of a kind.
static bool has(const wsr__report *report, const char *phase,
                wsr__report_kind kind)
{
    for (size_t i = 0; i < report->n_series; i++) {
        const wsr__report_series *const s = &report->series[i];
        if (s->kind == kind && wsr__streq(s->phase, phase)) {
            return true;
        }
    }
    return false;
}

// Phases come in the order in which the log first names them.
static bool is_first_of_phase(const wsr__report *report, size_t series)
{
    for (size_t i = 0; i < series; i++) {
        if (wsr__streq(report->series[i].phase, report->series[series].phase)) {
            return false;
        }
    }
    return true;
}

// One picture for each kind, since kinds have different axes. Times are drawn
// apart, for all phases together.
static wsr_status add_phase(wsr__str *out, const wsr__report *report,
                            const char *phase)
{
    wsr_status status = WSR_OK;
    static const char *const headings[] = {
        "losses",
        "objective of the cells drawn",
        "losses of estimator and predictor",
        "accuracies",
        "rank correlation of the predictor",
        "squared error of the estimates, leave-one-out",
        "edges without parameters"};
    for (int kind = 0; kind < WSR__REPORT_TIME; kind++) {
        if (has(report, phase, (wsr__report_kind)kind)) {
            wsr__str_add(out, "<h3>");
            wsr__html_name(out, phase);
            wsr__str_addf(out, "%s%s</h3>\n", phase[0] == '\0' ? "" : ": ",
                          headings[kind]);
            WSR_TRY(
                wsr__svg_series(out, report, phase, (wsr__report_kind)kind));
        }
    }
out:
    return status;
}

// Headings appear only above something.
static wsr_status add_history(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    bool times = false;
    bool others = false;
    for (size_t i = 0; i < report->n_series; i++) {
        times = times || report->series[i].kind == WSR__REPORT_TIME;
        others = others || report->series[i].kind != WSR__REPORT_TIME;
    }
    if (others) {
        wsr__html_heading(out, "Over the epochs");
        for (size_t i = 0; i < report->n_series; i++) {
            if (is_first_of_phase(report, i)) {
                WSR_TRY(add_phase(out, report, report->series[i].phase));
            }
        }
    }
    if (times) {
        wsr__html_heading(out, "Where the time went");
        WSR_TRY(wsr__svg_time(out, report));
    }
    WSR_TRY(wsr__html_save_series(out, report));
out:
    return status;
}

// ------------------------------------------------------------- configuration

// Bytes of the section of a key: "data" of "data.spec", none of "seed". The
// section is the first word of a dotted key.
static size_t section_of(const char *key)
{
    const char *const dot = strchr(key, '.');
    return dot == NULL ? 0 : (size_t)(dot - key);
}

// Keys without a dot are a section of their own.
static bool same_section(const char *a, const char *b)
{
    const size_t n = section_of(a);
    return n == section_of(b) && strncmp(a, b, n) == 0;
}

// Sections come in the order of their first key.
static bool is_first_of_section(const wsr_config *config, size_t entry)
{
    for (size_t i = 0; i < entry; i++) {
        if (same_section(wsr_config_key(config, i),
                         wsr_config_key(config, entry))) {
            return false;
        }
    }
    return true;
}

// All keys of the section of entry `first`, wherever they stand.
static void add_section(wsr__str *out, const wsr_config *config, size_t first)
{
    const char *const head = wsr_config_key(config, first);
    const size_t length = section_of(head);
    wsr__str_add(out, "<section><h3>");
    if (length == 0) {
        wsr__str_add(out, "general");
    }
    wsr__str_addn(out, head, length); // letters, digits, "_" and "-" alone
    wsr__str_add(out, "</h3><table>\n");
    for (size_t i = first; i < wsr_config_count(config); i++) {
        const char *const key = wsr_config_key(config, i);
        if (same_section(key, head)) {
            wsr__str_add(out, "<tr><td>");
            wsr__html_text(out, key + (length == 0 ? 0 : length + 1));
            wsr__str_add(out, "</td><td>");
            wsr__html_text(out, wsr_config_value(config, i));
            wsr__str_add(out, "</td></tr>\n");
        }
    }
    wsr__str_add(out, "</table></section>\n");
}

// The resolved configuration: every option of the run, defaults included.
static void add_config(wsr__str *out, const wsr_config *config)
{
    if (config == NULL || wsr_config_count(config) == 0) {
        return;
    }
    wsr__html_heading(out, "Configuration");
    wsr__str_add(out, "<div class=\"keys\">\n");
    for (size_t i = 0; i < wsr_config_count(config); i++) {
        if (is_first_of_section(config, i)) {
            add_section(out, config, i);
        }
    }
    wsr__str_add(out, "</div>\n");
}

// A row, where the value is known.
static void add_fact(wsr__str *out, const char *name, const char *value)
{
    if (value != NULL) {
        wsr__str_addf(out, "<tr><td>%s</td><td>", name);
        wsr__html_text(out, value);
        wsr__str_add(out, "</td></tr>\n");
    }
}

// What must be the same for a run to be repeated bit by bit.
static void add_environment(wsr__str *out, const wsr__report *report)
{
    if (report->version == NULL && report->build == NULL) {
        return;
    }
    wsr__html_heading(out, "Environment");
    wsr__str_add(out, "<table>\n");
    add_fact(out, "program", report->tool);
    add_fact(out, "version", report->version);
    add_fact(out, "library and machine", report->build);
    add_fact(out, "threads", report->threads);
    add_fact(out, "seed", report->seed);
    wsr__str_add(out, "</table>\n<p>Same seed, same machine, same number of "
                      "threads: the same bits.</p>\n");
}

// Sections that have nothing to show write nothing.
static wsr_status add_sections(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    wsr__html_warnings(out, report);
    WSR_TRY(wsr__html_searchers(out, report));
    WSR_TRY(wsr__html_predictors(out, report));
    WSR_TRY(add_cells(out, report));
    add_evidence(out, report);
    WSR_TRY(wsr__html_differences(out, report));
    WSR_TRY(add_accuracies(out, report));
    WSR_TRY(wsr__html_corruptions(out, report));
    WSR_TRY(wsr__html_hessian(out, report));
    WSR_TRY(wsr__html_estimates(out, report));
    wsr__html_classes(out, report);
    WSR_TRY(wsr__html_samples(out, report));
    WSR_TRY(add_history(out, report));
    add_config(out, report->config);
    add_environment(out, report);
    WSR_TRY(wsr__str_status(out));
out:
    return status;
}

// The sections first: the list of contents leads to those that are there.
wsr_status wsr__report_page(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    wsr__str sections = {0};
    WSR_TRY(add_sections(&sections, report));
    wsr__str_add(out,
                 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                 "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
                 "content=\"width=device-width, initial-scale=1\"/>\n<title>");
    wsr__str_add(out, title_of(report));
    wsr__str_add(out, "</title>\n<style>\n");
    for (size_t i = 0; wsr__report_style[i] != NULL; i++) {
        wsr__str_add(out, wsr__report_style[i]);
    }
    wsr__str_add(out, "</style>\n</head>\n<body>\n<main>\n");
    add_heading(out, report);
    if (sections.s != NULL) {
        wsr__html_contents(out, sections.s);
        wsr__str_addn(out, sections.s, sections.len);
    }
    wsr__str_add(out, "</main>\n</body>\n</html>\n");
    WSR_TRY(wsr__str_status(out));
out:
    wsr__str_free(&sections);
    return status;
}
