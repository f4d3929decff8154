// SPDX-License-Identifier: Apache-2.0
//
// Reports: data gathered from the files of a run, and functions that draw them
// as HTML with pictures in SVG.
//
//   collect.c  log lines -> wsr__report; collect_eval.c those of evaluations,
//              collect_estimates.c those of test benches of estimators
//   report.c   files -> wsr__report -> file
//   page.c     the page around the pictures; style.c its style sheet
//   html.c     headings, tables, the list of sections
//   tables.c   accuracies as tables, and warnings
//   corruptions.c  accuracies on corrupted images
//   hessian.c  curvature of the loss
//   estimates.c estimated noises against those of PGD
//   runs.c     runs over the same images against each other
//   compare.c  the table of a comparison of searchers; predictors.c that of
//              predictors
//   rows.c     numbers as files that can be saved from the page; numbers.c
//              those of evaluations and epochs; latex.c accuracies for papers
//   figure.c   pictures with legends, in the page and as files
//   samples.c  clean images, adversarial ones and their differences
//   svg_*.c    pictures; layout.c where the parts of a cell stand

#ifndef WSR_REPORT_REPORT_H
#define WSR_REPORT_REPORT_H

#include "base/base.h"
#include "io/io.h"
#include "report/figure.h"
#include "report/text.h"
#include "wsr/config.h"
#include "wsr/genotype.h"
#include "wsr/report.h"

// ------------------------------------------------------------ what was said

/// What the numbers of a series are.
typedef enum wsr__report_kind {
    WSR__REPORT_LOSS,
    WSR__REPORT_OBJECTIVE, // minimised by a search
    WSR__REPORT_SURROGATE, // losses of estimator and predictor
    WSR__REPORT_ACCURACY,
    WSR__REPORT_CORRELATION,
    WSR__REPORT_MSE,   // of estimated noises
    WSR__REPORT_SHARE, // of edges, in [0, 1]
    WSR__REPORT_TIME,  // seconds
    WSR__REPORT_KINDS
} wsr__report_kind;

/// A number over the epochs of a phase, in the order of the epochs.
typedef struct wsr__report_series {
    wsr__report_kind kind;
    char *phase;
    char *name;
    wsr__report_point *points;
    size_t n;
    size_t capacity;
} wsr__report_series;

/// Accuracy at one strength.
typedef struct wsr__report_strength {
    double eps;
    double clean; // NAN when not known
    double robust;
    double low; // ends of the 95 % interval, NAN when not known
    double high;
    double quantized; // robust against images of 8 bits, NAN: not measured
    double quantized_low;
    double quantized_high;
    double count;    // images, NAN when not known
    double *classes; // robust accuracy of each, NAN without images
    size_t n_classes;
} wsr__report_strength;

/// Accuracy of a network under one attack, strengths ascending.
typedef struct wsr__report_curve {
    char *net; // "" where the log names none
    char *attack;
    char *options;
    char *norm;
    double mean;              // over the strengths above 0, NAN when not known
    wsr__report_point *steps; // accuracy y from strength x on, of a min-norm
    size_t n_steps;           // attack; NULL, 0: of another attack
    wsr__report_strength *points;
    size_t n;
    size_t capacity;
} wsr__report_curve;

/// Accuracy under PGD's noise at one strength, and under an estimated noise of
/// the same norm, with the ends of their 95 % intervals.
typedef struct wsr__report_match {
    double eps;
    double clean;
    double count; // images
    double pgd;
    double pgd_low;
    double pgd_high;
    double own;
    double low;
    double high;
    double cosine; // of the two noises
} wsr__report_match;

/// Estimates of one variant on one network, strengths ascending.
typedef struct wsr__report_estimate {
    char *net;
    char *variant;
    double seconds_pgd; // per image and strength, NAN when not known
    double seconds;     // likewise, of an estimate
    wsr__report_match *points;
    size_t n;
    size_t capacity;
} wsr__report_estimate;

/// Accuracy on images that were corrupted; severity 0: on clean ones.
typedef struct wsr__report_corruption {
    char *name;
    char *group;
    double severity;
    double accuracy;
    double low; // ends of the 95 % interval
    double high;
    double count; // images
} wsr__report_corruption;

enum { WSR__REPORT_HESSIAN = 7 };

/// Curvature of the loss; NAN where nothing was said.
typedef struct wsr__report_hessian {
    bool known;
    double values[WSR__REPORT_HESSIAN]; // see hessian.c
} wsr__report_hessian;

/// What makes an evaluation doubtful; "" and NAN where nothing was said.
typedef struct wsr__report_warning {
    char *name;
    char *attack;
    char *norm;
    double eps;
    char *detail;
    char *remedy;
} wsr__report_warning;

enum { WSR__REPORT_COLUMNS = 10 };

/// A searcher of a comparison; NAN where nothing was said.
typedef struct wsr__report_searcher {
    char *name;
    double values[WSR__REPORT_COLUMNS]; // see compare.c
} wsr__report_searcher;

enum { WSR__REPORT_TAUS = 65 };

/// How a predictor ranks one loss: Kendall's tau with its interval.
typedef struct wsr__report_tau {
    char loss[64];
    double tau;
    double low;
    double high;
} wsr__report_tau;

typedef struct wsr__report_predictor {
    char *name;
    double architectures; // that it ranks
    double remembered;    // that it learnt from
    wsr__report_tau taus[WSR__REPORT_TAUS];
    size_t n;
} wsr__report_predictor;

/// Two runs over the same images under one attack at one strength.
typedef struct wsr__report_difference {
    char *a; // names of the runs
    char *b;
    char *attack;
    char *options;
    char *norm;
    double eps;     // NAN: infinity
    size_t count;   // images
    double share_a; // that stand
    double share_b;
    double low; // ends of the interval of share_a - share_b
    double high;
    size_t only_a; // images that stand in one run alone
    size_t only_b;
    double mid; // p values of McNemar's test
    double exact;
} wsr__report_difference;

/// All that a report shows; {0} with NAN seconds is an empty one.
typedef struct wsr__report {
    char *tool; // texts are NULL where nothing was said
    char *version;
    char *build;
    char *seed;
    char *threads;
    double seconds;
    size_t classes; // 0: not known
    wsr__report_series *series;
    size_t n_series;
    size_t series_capacity;
    wsr__report_curve *curves;
    size_t n_curves;
    size_t curves_capacity;
    wsr__report_estimate *estimates;
    size_t n_estimates;
    size_t estimates_capacity;
    wsr__report_warning *warnings;
    size_t n_warnings;
    size_t warnings_capacity;
    wsr__report_corruption *corruptions;
    size_t n_corruptions;
    size_t corruptions_capacity;
    wsr__report_hessian hessian[2]; // by the parameters, by the input
    wsr__report_searcher *searchers;
    size_t n_searchers;
    size_t searchers_capacity;
    wsr__report_predictor *predictors;
    size_t n_predictors;
    size_t predictors_capacity;
    wsr__report_difference *differences; // of runs that are compared
    size_t n_differences;
    size_t differences_capacity;
    wsr__st *images;        // the first ones and their attacks, NULL without
    wsr_config *config;     // NULL without
    wsr_genotype *genotype; // NULL without
    char *text;             // of the last genotype in the log, NULL without
    char *evidence;         // what a search can promise, NULL without
} wsr__report;

/// Add what the lines of a log say.
wsr_status wsr__report_log(wsr__report *report, const char *path);

void wsr__report_clear(wsr__report *report);

// ------------------------------------------------------------------ drawing

/// The heading of a section, which the list of contents leads to. [static]
void wsr__html_heading(wsr__str *out, const char *title);

/// Links to all headings of a page; nothing where there are fewer than two.
void wsr__html_contents(wsr__str *out, const char *body);

/// Begin and end a table that moves sideways where the page is narrow. `style`
/// is its class, "" for none; `label` names it for those who do not see it.
void wsr__html_table_begin(wsr__str *out, const char *style, const char *label);
void wsr__html_table_end(wsr__str *out);

/// The heading of a column, that of numbers to the right. [static]
void wsr__html_column(wsr__str *out, const char *name, bool number);

/// All series of a kind and phase in one picture with a legend.
wsr_status wsr__svg_series(wsr__str *out, const wsr__report *report,
                           const char *phase, wsr__report_kind kind);

/// All curves of a norm in one picture with a legend, which is saved as
/// NAME.svg.
wsr_status wsr__svg_accuracy(wsr__str *out, const wsr__report *report,
                             const char *norm, const char *name);

/// How the time divides.
wsr_status wsr__svg_time(wsr__str *out, const wsr__report *report);

/// One cell of a genotype with its caption.
wsr_status wsr__svg_cell(wsr__str *out, const wsr_genotype *genotype,
                         wsr_genotype_cell cell);

/// Name of a curve: network, attack, options.
void wsr__html_curve(wsr__str *out, const wsr__report_curve *curve);

/// Curves of a norm as a table, with their means.
void wsr__html_table(wsr__str *out, const wsr__report *report,
                     const char *norm);

/// Accuracy by class of all curves that know it.
void wsr__html_classes(wsr__str *out, const wsr__report *report);

/// Estimates against PGD, network by network; nothing where there are none.
wsr_status wsr__html_estimates(wsr__str *out, const wsr__report *report);

/// Accuracies on corrupted images; nothing where there are none.
wsr_status wsr__html_corruptions(wsr__str *out, const wsr__report *report);

/// Curvature of the loss; nothing where it is not known.
wsr_status wsr__html_hessian(wsr__str *out, const wsr__report *report);

void wsr__html_warnings(wsr__str *out, const wsr__report *report);

/// Searchers of a comparison as a table.
wsr_status wsr__html_searchers(wsr__str *out, const wsr__report *report);

/// How predictors rank held-out architectures, as a table.
wsr_status wsr__html_predictors(wsr__str *out, const wsr__report *report);

/// Append the name of a class in brackets behind its number, where images of
/// the run come with names.
void wsr__html_class(wsr__str *out, const wsr__report *report, size_t label);

/// Links that save accuracies and numbers over the epochs; nothing where there
/// are none.
wsr_status wsr__html_save_accuracies(wsr__str *out, const wsr__report *report);
wsr_status wsr__html_save_series(wsr__str *out, const wsr__report *report);

/// A link that saves the accuracies of a norm as a table for LaTeX.
wsr_status wsr__html_save_latex(wsr__str *out, const wsr__report *report,
                                const char *norm);

/// The first images with their adversarial ones and the differences.
wsr_status wsr__html_samples(wsr__str *out, const wsr__report *report);

/// The page.
wsr_status wsr__report_page(wsr__str *out, const wsr__report *report);

/// Style sheet of the page, ended by NULL.
extern const char *const wsr__report_style[];

// ----------------------------------------------------- where a cell's parts go

/// What stands in a column of a drawn cell.
typedef enum wsr__part_kind {
    WSR__PART_STATE, // a node
    WSR__PART_LABEL, // the name of an operation, on its edge
    WSR__PART_BEND   // where an edge passes through
} wsr__part_kind;

typedef struct wsr__part {
    wsr__part_kind kind;
    size_t column; // states in even ones, labels in odd ones
    double y;      // of its middle
    double want;   // mean y of its neighbours
} wsr__part;

enum {
    WSR__LAYOUT_STATES = 16,
    WSR__LAYOUT_EDGES = 24,
    WSR__LAYOUT_PARTS = 512,
    WSR__LAYOUT_CHAIN = 32
};

/// An edge: the parts that it passes, from a state to a state.
typedef struct wsr__route {
    const char *op; // NULL: a part of the output
    size_t n;
    size_t parts[WSR__LAYOUT_CHAIN];
} wsr__route;

/// A cell on paper. Parts 0 and 1 are the inputs, then come the nodes, then
/// the output.
typedef struct wsr__cell_layout {
    size_t states;
    size_t n_parts;
    size_t n_routes;
    size_t columns;
    double top, bottom; // of all parts
    wsr__part parts[WSR__LAYOUT_PARTS];
    wsr__route routes[WSR__LAYOUT_EDGES];
} wsr__cell_layout;

/// Place the parts of a cell.
wsr_status wsr__layout_make(wsr__cell_layout *layout,
                            const wsr_genotype *genotype,
                            wsr_genotype_cell cell);

#endif
