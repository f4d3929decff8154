// SPDX-License-Identifier: Apache-2.0
//
// The command line that all tools share. It is read twice: first for the
// options that decide where the configuration comes from, then for the
// assignments, which change that configuration in the order in which they were
// given.

#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PRESET,
    CONFIG,
    SET,
    OUT,
    THREADS,
    SEED,
    RESUME,
    DRY_RUN,
    JSON,
    QUIET,
    HELP,
    VERSION,
    N_COMMON
};

_Static_assert((int)N_COMMON == (int)CLI_COMMON, "the table of cli_help.c");

static const cli_option common[N_COMMON] = {
    {"preset", "NAME", NULL, "take a configuration that comes with libwsr"},
    {"config", "FILE", NULL, "take the configuration from a YAML file"},
    {"set", "KEY=VALUE", NULL, "set one key of the configuration; repeatable"},
    {"out", "DIR", NULL, "write results into this folder"},
    {"threads", "N", NULL, "use N threads (default: all processors)"},
    {"seed", "N", "seed", "seed of all random numbers"},
    {"resume", "DIR", NULL, "go on with the interrupted run in this folder"},
    {"dry-run", NULL, NULL, "say what time, memory and disk the run takes"},
    {"json", NULL, NULL, "print results as JSON lines"},
    {"quiet", NULL, NULL, "show errors alone"},
    {"help", "[TOPIC]", NULL, "show this help, or that on a topic"},
    {"version", NULL, NULL, "show the version"},
};

// ------------------------------------------------------------------- signals

// Set by a signal; the progress hooks of the tools ask for it.
static volatile sig_atomic_t canceled;
static volatile sig_atomic_t says_so;

// The first signal asks the run to stop, and the next one ends the process at
// once: cli_let_go() restores the default action. write() may be called in a
// signal handler, printf() may not.
static void on_signal(int number)
{
    static const char text[] = "\nfinishing the step; once more to stop now\n";
    (void)number;
    canceled = 1;
    cli_let_go();
    if (says_so != 0) {
        const ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);
        (void)n;
    }
}

// A signal that is ignored (by nohup, or in the background) stays ignored.
static void catch_signal(int number)
{
    struct sigaction before;
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
        (void)sigaction(number, &action, NULL);
    }
}

// From here on a signal ends the process.
void cli_let_go(void)
{
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
}

bool cli_canceled(void)
{
    return canceled != 0;
}

// ----------------------------------------------------------------- processes

// What the work ended with, for those that wait for this process.
static wsr_status ended = WSR_OK;

static void leave(void)
{
    wsr_comm_close(ended);
}

// Of several processes the first one speaks.
static bool speaks(void)
{
    return wsr_comm_rank() == 0;
}

// A failure that the others do not know of is said by the process that had it.
// It waits first: where all have failed alike, the first one ends all others.
static void say_failure(const cli *c)
{
    if (speaks()) {
        (void)fprintf(stderr, "%s: %s\n", c->tool->name, wsr_error_detail());
    } else if (!wsr_comm_agreed()) {
        (void)sleep(1);
        (void)fprintf(stderr, "%s: rank %zu: %s\n", c->tool->name,
                      wsr_comm_rank(), wsr_error_detail());
    }
}

// ------------------------------------------------------------------- library

// Log lines of the library go to stderr; debug lines are for its developers.
static void on_log(wsr_log_level level, const char *line, void *user)
{
    static const char *const marks[] = {"debug: ", "", "warning: "};
    cli *const c = user;
    if (level >= WSR_LOG_INFO && !c->quiet && speaks()) {
        cli_progress_clear(c);
        (void)fprintf(stderr, "%s: %s%s\n", c->tool->name, marks[level], line);
    }
}

// --------------------------------------------------------------------- usage

int cli_usage(const cli *c, const char *format, ...)
{
    if (!speaks()) {
        return CLI_USAGE;
    }
    (void)fprintf(stderr, "%s: ", c->tool->name);
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return CLI_USAGE;
}

// Common options come first, then those of the tool; NULL after the last. The
// tool's list ends with an entry without a name.
const cli_option *cli_option_at(const cli *c, size_t i)
{
    if (i < N_COMMON) {
        return &common[i];
    }
    const cli_option *const own = c->tool->options;
    if (own == NULL) {
        return NULL;
    }
    for (size_t k = 0; k < i - N_COMMON; k++) {
        if (own[k].name == NULL) {
            return NULL;
        }
    }
    return own[i - N_COMMON].name != NULL ? &own[i - N_COMMON] : NULL;
}

// A tool without presets has no --preset.
bool cli_is_hidden(const cli *c, size_t i)
{
    return i == PRESET && c->tool->presets == NULL;
}

// Suggests the nearest option, from the name without its dashes and value.
static int unknown_option(const cli *c, const char *given)
{
    char word[32];
    const char *names[N_COMMON + CLI_OPTIONS];
    const char *const begin = given + strspn(given, "-");
    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(begin, "="), begin);
    const cli_option *o = NULL;
    size_t n = 0;
    for (size_t i = 0; (o = cli_option_at(c, i)) != NULL; i++) {
        if (!cli_is_hidden(c, i)) {
            names[n++] = o->name;
        }
    }
    const char *const near = cli_nearest(word, names, n);
    if (near != NULL) {
        return cli_usage(c, "%.60s: is not an option, did you mean --%s", given,
                         near);
    }
    return cli_usage(c, "%.60s: is not an option, --help lists them", given);
}

// ------------------------------------------------------------------- reading

// The kernels need the number before anything is computed; `threads` is also a
// key of most configurations.
static int set_threads(const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n < 1 ||
        n > 1024) {
        return CLI_USAGE;
    }
    wsr_set_threads(n);
    return CLI_GO_ON;
}

// First reading: everything but assignments.
static int read_option(cli *c, size_t i, const char *value)
{
    switch (i) {
    case PRESET:
        c->preset = value;
        return CLI_GO_ON;
    case CONFIG:
        c->file = value;
        return CLI_GO_ON;
    case OUT:
        c->out = value;
        return CLI_GO_ON;
    case RESUME:
        c->resume = value;
        return CLI_GO_ON;
    case THREADS:
        return set_threads(value) == CLI_GO_ON
                   ? CLI_GO_ON
                   : cli_usage(c, "--threads: '%.40s' is outside [1, 1024]",
                               value);
    case DRY_RUN:
        c->dry_run = true;
        return CLI_GO_ON;
    case JSON:
        c->json = true;
        return CLI_GO_ON;
    case QUIET:
        c->quiet = true;
        return CLI_GO_ON;
    case HELP:
        return cli_help(c, value);
    case VERSION:
        printf("%s %s\n%s\n", c->tool->name, wsr_version(), wsr_build_info());
        return CLI_DONE;
    default:
        if (i >= N_COMMON) {
            c->values[i - N_COMMON] = value != NULL ? value : "";
        }
        return CLI_GO_ON;
    }
}

// The origin of a value is its option, for error lines.
static wsr_status assign(cli *c, size_t i, const char *value)
{
    char where[64];
    const cli_option *const o = cli_option_at(c, i);
    if (i == SET) {
        return wsr_config_set(c->config, value);
    }
    const char *const key = i == THREADS ? c->tool->threads : o->key;
    if (key == NULL) {
        return WSR_OK;
    }
    (void)snprintf(where, sizeof(where), "--%s", o->name);
    const char *const none = o->value == NULL ? "true" : "all";
    return wsr_config_put(c->config, key, value != NULL ? value : none, where);
}

// A configuration has one source; a resumed run has its own.
static int check_sources(cli *c)
{
    if (c->preset != NULL && c->file != NULL) {
        return cli_usage(c, "--preset and --config exclude each other");
    }
    if (c->resume == NULL) {
        return CLI_GO_ON;
    }
    if (c->dry_run) {
        return cli_usage(c, "--dry-run and --resume exclude each other");
    }
    if (c->preset != NULL || c->file != NULL) {
        return cli_usage(c, "--resume takes the configuration of the run, not "
                            "--preset or --config");
    }
    if (c->out != NULL && strcmp(c->out, c->resume) != 0) {
        return cli_usage(c, "--resume writes into the folder of the run, not "
                            "into --out");
    }
    c->out = c->resume;
    return CLI_GO_ON;
}

// With --resume the configuration in the folder is the base of the
// assignments; the library refuses a result that differs from it.
static wsr_status load_config(cli *c)
{
    char path[4096];
    if (c->preset != NULL) {
        return wsr_config_load_preset(c->config, c->tool->presets, c->preset);
    }
    if (c->file != NULL) {
        return wsr_config_load(c->config, c->file);
    }
    if (c->resume != NULL) {
        const int n = snprintf(path, sizeof(path), "%s/config.yaml", c->resume);
        if (n > 0 && (size_t)n < sizeof(path)) {
            return wsr_config_load(c->config, path);
        }
    }
    return WSR_OK;
}

// Whether getopt_long() expects a value.
static int argument_of(const cli_option *o)
{
    if (o->value == NULL) {
        return no_argument;
    }
    return o->value[0] == '[' ? optional_argument : required_argument;
}

// Whether an option takes all words up to the next option.
static bool takes_list(const cli *c, size_t i)
{
    const char *const value = cli_option_at(c, i)->value;
    const size_t n = value == NULL ? 0 : strlen(value);
    return n > 3 && strcmp(value + n - 3, "...") == 0;
}

// The words of a list, of which getopt has read the first.
static int read_list(cli *c, size_t i, int argc, char **argv)
{
    if (!takes_list(c, i)) {
        return CLI_GO_ON;
    }
    c->n_list = 0;
    c->list[c->n_list++] = optarg;
    while (optind < argc && argv[optind][0] != '-') {
        if (c->n_list == CLI_LIST) {
            return cli_usage(c, "--%s: more than %d values",
                             cli_option_at(c, i)->name, (int)CLI_LIST);
        }
        c->list[c->n_list++] = argv[optind++];
    }
    return CLI_GO_ON;
}

// Walk over the options once. `status` is that of the assignments.
static int scan(cli *c, int argc, char **argv, wsr_status *assigned)
{
    struct option table[N_COMMON + CLI_OPTIONS + 1] = {{0}};
    const cli_option *o = NULL;
    size_t n = 0;
    for (size_t i = 0; i < N_COMMON + CLI_OPTIONS; i++) {
        o = cli_option_at(c, i);
        if (o != NULL && !cli_is_hidden(c, i)) {
            table[n++] =
                (struct option){o->name, argument_of(o), NULL, (int)i + 1};
        }
    }
    optind = 0; // glibc's word for: from the beginning
    opterr = 0;
    for (;;) {
        const int at = optind > 0 ? optind : 1;
        const int got = getopt_long(argc, argv, "+:", table, NULL);
        if (got == -1) {
            break;
        }
        if (got == '?') {
            return unknown_option(c, argv[at]);
        }
        if (got == ':') {
            return cli_usage(c, "%.60s: needs a value", argv[at]);
        }
        if (got - 1 == HELP && optarg == NULL && optind < argc &&
            argv[optind][0] != '-') {
            optarg = argv[optind++]; // "--help data" as well as "--help=data"
        }
        int code = read_list(c, (size_t)got - 1, argc, argv);
        if (code != CLI_GO_ON) {
            return code;
        }
        if (assigned == NULL) {
            code = read_option(c, (size_t)got - 1, optarg);
        } else {
            *assigned = assign(c, (size_t)got - 1, optarg);
            code = *assigned == WSR_OK ? CLI_GO_ON : CLI_USAGE;
        }
        if (code != CLI_GO_ON) {
            return code;
        }
    }
    return optind < argc ? cli_usage(c,
                                     "'%.60s': is not an option, nothing "
                                     "but options is expected",
                                     argv[optind])
                         : CLI_GO_ON;
}

// 2 for what the user can correct on the command line or in the configuration.
static int exit_code(wsr_status status)
{
    switch (status) {
    case WSR_OK:
        return CLI_DONE;
    case WSR_ARG:
    case WSR_CONFIG:
    case WSR_NOTFOUND:
    case WSR_SHAPE: // of data that do not fit the network
        return CLI_USAGE;
    case WSR_CANCELED:
        return CLI_CANCELED;
    default:
        return CLI_FAILED;
    }
}

// On CLI_GO_ON the caller works and then calls cli_end(); otherwise it exits
// with the code.
int cli_begin(cli *c, const cli_tool *tool, int argc, char **argv)
{
    *c = (cli){.tool = tool};
    ended = wsr_comm_open();
    // After it: what MPI's libraries do at the exit must come later.
    (void)atexit(leave);
    if (ended != WSR_OK) {
        say_failure(c);
        return exit_code(ended);
    }
    int code = scan(c, argc, argv, NULL);
    if (!speaks()) {
        c->quiet = true;
        c->json = false;
    }
    if (code == CLI_GO_ON) {
        code = check_sources(c);
    }
    if (code == CLI_DONE) {
        return cli_end(c, WSR_OK); // help may go to a full disk, too
    }
    if (code != CLI_GO_ON) {
        return code;
    }
    wsr_set_log_hook(on_log, c);
    wsr_status status = wsr_config_new(&c->config);
    if (status == WSR_OK) {
        status = load_config(c);
    }
    if (status == WSR_OK) {
        (void)scan(c, argc, argv, &status);
    }
    if (status != WSR_OK) {
        // Here even a file that cannot be read is a mistake in the usage.
        code = cli_end(c, status);
        return status == WSR_NOMEM ? code : CLI_USAGE;
    }
    says_so = !c->quiet && isatty(STDERR_FILENO) == 1;
    canceled = 0;
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP); // the terminal went away, or a batch system says so
    return CLI_GO_ON;
}

// The value of a tool's own option, NULL when it was not given.
const char *cli_value(const cli *c, const char *name)
{
    const cli_option *o = NULL;
    for (size_t i = N_COMMON; (o = cli_option_at(c, i)) != NULL; i++) {
        if (strcmp(o->name, name) == 0) {
            return c->values[i - N_COMMON];
        }
    }
    return NULL;
}

// -------------------------------------------------------------------- ending

int cli_end(cli *c, wsr_status status)
{
    int code = exit_code(status);
    cli_progress_clear(c);
    ended = status;
    if (status == WSR_CANCELED && !speaks()) {
        // The first one says it.
    } else if (status == WSR_CANCELED && c->out != NULL) {
        (void)fprintf(stderr, "%s: interrupted, go on with: %s --resume %s\n",
                      c->tool->name, c->tool->name, c->out);
    } else if (status == WSR_CANCELED) {
        (void)fprintf(stderr, "%s: interrupted\n", c->tool->name);
    } else if (status != WSR_OK) {
        say_failure(c);
    }
    // Results that did not reach a full disk or a closed pipe are no results.
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == CLI_DONE) {
        (void)fprintf(stderr, "%s: output: %s\n", c->tool->name,
                      strerror(errno));
        code = CLI_FAILED;
    }
    wsr_set_log_hook(NULL, NULL);
    wsr_config_free(c->config);
    c->config = NULL;
    return code;
}
