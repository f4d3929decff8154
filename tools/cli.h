// SPDX-License-Identifier: Apache-2.0
//
// What the programs have in common: options, configuration, progress on a
// terminal, interruption, exit codes. It uses the public interface alone.

#ifndef WSR_TOOLS_CLI_H
#define WSR_TOOLS_CLI_H

#include "wsr.h"

enum { CLI_OPTIONS = 32 }; // most options that a program adds
enum { CLI_LIST = 1024 };  // most words of a "DIR..."

enum {
    CLI_GO_ON = -1,     // of cli_begin(): no reason to exit yet
    CLI_DONE = 0,       // exit codes
    CLI_FAILED = 1,     // at run time
    CLI_USAGE = 2,      // wrong usage or configuration
    CLI_CANCELED = 130, // by a signal
};

/// An option of one program. A table of them ends with name NULL.
typedef struct cli_option {
    const char *name;  // "genotype" for --genotype
    const char *value; // shown in --help: "NAME"; NULL for a flag; "[LIST]"
                       // may be left out, which stands for "all"; "DIR..."
                       // takes all words up to the next option
    const char *key;   // configuration key that it sets, NULL: see cli_value
    const char *help;  // one line. Another's line names the option where this
                       // is NULL, for the words of its key, or begins with
                       // "~", for the manual alone
} cli_option;

/// A call that the manual shows, and a test runs: those of one program in the
/// order of the table, which ends with NULL.
typedef struct cli_example {
    const char *what; // what it does, one sentence
    const char *call; // as on a command line
} cli_example;

struct cli;

/// A program. It is listed in tools.def.
typedef struct cli_tool {
    const char *name;    // "wsr-search"
    const char *presets; // "search"; NULL for a program without
    const char *summary; // one line
    const char *threads; // key that --threads sets too, NULL: none
    const char *usage;   // what usually follows the name: "--preset NAME ..."
    const cli_option *options;
    const char *about; // what it does, for the manual: a few sentences
    const cli_example *examples;
    /// Do the work. Returns the code to exit with, after cli_end().
    int (*run)(struct cli *c);
    /// Print the help on a topic; "all" and "" as wsr_train_help(). NOTFOUND,
    /// with nothing printed, for topics that are not known. NULL for none.
    wsr_status (*help)(const char *topic);
    /// Estimate what the run costs, for --dry-run: wsr_train_cost().
    wsr_status (*cost)(wsr_cost *cost, const wsr_config *config,
                       wsr_progress_hook hook, void *user);
} cli_tool;

/// What the command line said.
typedef struct cli {
    const cli_tool *tool;
    wsr_config *config; // preset or file, then all assignments in their order
    const char *out;    // --out, or the folder that is resumed
    const char *resume; // --resume, NULL without
    bool dry_run;
    bool json;
    bool quiet;
    const char *preset;
    const char *file;
    const char *values[CLI_OPTIONS]; // of the program's own options
    const char *list[CLI_LIST];      // words of an option with several
    size_t n_list;
    double started; // when progress was first heard of, 0: not yet
    double first;   // part of the work that was done then
    double drawn; // when it was last drawn on the terminal, 0: it is not there
    double said;  // when progress was last told where there is no terminal
} cli;

/// Read the command line, gather the configuration, catch SIGINT and SIGTERM,
/// show the library's warnings on stderr. Returns CLI_GO_ON, or the code to
/// exit with after --help, --version or a mistake that was reported; only in
/// the first case cli_end() is due.
int cli_begin(cli *c, const cli_tool *tool, int argc, char **argv);

/// Value of one of the program's own options, NULL when it was not given; ""
/// for a flag that was.
const char *cli_value(const cli *c, const char *name);

/// Report wrong usage found by the program itself. Returns CLI_USAGE.
int cli_usage(const cli *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// The name nearest to a word that may be a typing mistake, NULL when none is
/// near.
const char *cli_nearest(const char *word, const char *const *names, size_t n);

enum { CLI_COMMON = 12 }; // number of options that all programs have

/// Option `i`, the program's own after the common ones; NULL beyond the end.
const cli_option *cli_option_at(const cli *c, size_t i);

/// Whether the program does without option `i`.
bool cli_is_hidden(const cli *c, size_t i);

/// Print the first page of help, or with a topic that on it. Returns the code
/// to exit with.
int cli_help(const cli *c, const char *topic);

/// Report how the work ended, on stderr, and release everything. Returns the
/// code to exit with.
int cli_end(cli *c, wsr_status status);

/// Whether a signal asked to stop. A second signal ends the program at once.
bool cli_canceled(void);

/// From now on a signal ends the program at once: what follows has nothing to
/// bring in order.
void cli_let_go(void);

/// Show how far the work is, on stderr: a bar on a terminal, elsewhere a line
/// every 30 seconds. `fraction`: of all the work, from which the time that is
/// left is told.
void cli_progress(cli *c, double fraction, const char *text);

/// What is drawn, as wide as it may be: the percentage and the time left first,
/// which stay when there is no room for the bar and the whole text.
/// [out] width + 1 bytes at most
void cli_progress_line(char *out, size_t width, double done, const char *left,
                       const char *text);

/// Take the progress bar off the terminal, before other output.
void cli_progress_clear(cli *c);

#endif
