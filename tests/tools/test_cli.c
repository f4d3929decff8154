// SPDX-License-Identifier: Apache-2.0

#include "cli.h"
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option own[] = {
    {"genotype", "NAME", "net.genotype", "which cells"},
    {"save", "FILE", NULL, "where to"},
    {"deep", NULL, "net.deep", "go deep"},
    {"fast", NULL, NULL, "go fast"},
    {"kinds", "[LIST]", "net.kinds", "=a,b (default: all)"},
    {NULL, NULL, NULL, NULL},
};

// Knows the topics of the library's attacks.
static wsr_status help(const char *topic)
{
    char *text = NULL;
    const wsr_status status = wsr_attack_help(&text, topic);
    printf("%s", text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

static const cli_tool tool = {.name = "wsr-test",
                              .presets = "search",
                              .summary = "tests",
                              .usage = "--out DIR",
                              .options = own,
                              .help = help};

// ------------------------------------------------- catching what is printed

static char printed[2][8192]; // on stdout and stderr
static int kept[2];
static FILE *files[2];

static void catch_output(void)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    for (int i = 0; i < 2; i++) {
        files[i] = tmpfile();
        ck_assert_ptr_nonnull(files[i]);
        kept[i] = dup(i + 1);
        ck_assert_int_ge(dup2(fileno(files[i]), i + 1), 0);
    }
}

static void release_output(void)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(dup2(kept[i], i + 1), 0);
        (void)close(kept[i]);
        rewind(files[i]);
        const size_t n = fread(printed[i], 1, sizeof(printed[i]) - 1, files[i]);
        printed[i][n] = '\0';
        (void)fclose(files[i]);
    }
}

enum { MOST = 16 };

// Begin with the words of `line`, which are separated by single blanks.
static int begin(cli *c, const char *line)
{
    static char words[512];
    char *argv[MOST] = {"wsr-test"};
    int argc = 1;
    (void)snprintf(words, sizeof(words), "%s", line);
    for (char *s = words; *s != '\0' && argc < MOST - 1;) {
        argv[argc++] = s;
        s += strcspn(s, " ");
        if (*s == ' ') {
            *s++ = '\0';
        }
    }
    catch_output();
    const int code = cli_begin(c, &tool, argc, argv);
    release_output();
    return code;
}

static int end(cli *c, wsr_status status)
{
    catch_output();
    const int code = cli_end(c, status);
    release_output();
    return code;
}

static void reject(const char *line, const char *message)
{
    cli c;
    ck_assert_int_eq(begin(&c, line), CLI_USAGE);
    ck_assert_str_eq(printed[0], "");
    ck_assert_msg(strstr(printed[1], message) != NULL, "'%s' lacks '%s'",
                  printed[1], message);
    ck_assert_ptr_eq(strchr(printed[1], '\n'),
                     printed[1] + strlen(printed[1]) - 1);
    ck_assert_ptr_null(c.config);
}

START_TEST(options_reach_their_places)
{
    cli c;
    ck_assert_int_eq(begin(&c, "--out d --threads 2 --json --quiet --save=f "
                               "--dry-run --fast --genotype cna_r"),
                     CLI_GO_ON);
    ck_assert_str_eq(c.out, "d");
    ck_assert_uint_eq(wsr_threads(), 2);
    ck_assert(c.json && c.quiet && c.dry_run);
    ck_assert_str_eq(cli_value(&c, "save"), "f");
    ck_assert_str_eq(cli_value(&c, "fast"), "");
    ck_assert_ptr_null(cli_value(&c, "deep"));
    ck_assert_ptr_null(cli_value(&c, "nothing"));
    ck_assert_str_eq(cli_value(&c, "genotype"), "cna_r");
    ck_assert_str_eq(wsr_config_text(c.config, "net.genotype"), "cna_r");
    ck_assert_ptr_null(c.resume);
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
    ck_assert_str_eq(printed[1], "");
}
END_TEST

START_TEST(assignments_are_made_in_their_order)
{
    cli c;
    ck_assert_int_eq(begin(&c, "--set seed=1 --seed 2 --set a.b=3 --set a.b=4 "
                               "--genotype x --set net.genotype=y --deep"),
                     CLI_GO_ON);
    ck_assert_str_eq(wsr_config_text(c.config, "seed"), "2");
    ck_assert_str_eq(wsr_config_where(c.config, 0), "--seed");
    ck_assert_str_eq(wsr_config_text(c.config, "a.b"), "4");
    ck_assert_str_eq(wsr_config_text(c.config, "net.genotype"), "y");
    ck_assert_str_eq(wsr_config_text(c.config, "net.deep"), "true");
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
}
END_TEST

// In brackets: the value may be left out, and what follows is no value.
START_TEST(a_value_in_brackets_may_be_left_out)
{
    cli c;
    ck_assert_int_eq(begin(&c, "--kinds --deep"), CLI_GO_ON);
    ck_assert_str_eq(wsr_config_text(c.config, "net.kinds"), "all");
    ck_assert_str_eq(wsr_config_text(c.config, "net.deep"), "true");
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
    ck_assert_int_eq(begin(&c, "--kinds=a,b"), CLI_GO_ON);
    ck_assert_str_eq(wsr_config_text(c.config, "net.kinds"), "a,b");
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
    reject("--kinds a", "'a': is not an option");
}
END_TEST

static void write_text(const char *path, const char *text)
{
    FILE *const f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

START_TEST(a_file_comes_before_assignments)
{
    cli c;
    char path[600];
    char line[1400];
    const char *const folder = scratch_folder("cli");
    (void)snprintf(path, sizeof(path), "%s/config.yaml", folder);
    write_text(path, "a: 1\nb: 2\n");
    (void)snprintf(line, sizeof(line), "--set b=3 --config %s", path);
    ck_assert_int_eq(begin(&c, line), CLI_GO_ON);
    ck_assert_str_eq(wsr_config_text(c.config, "a"), "1");
    ck_assert_str_eq(wsr_config_text(c.config, "b"), "3");
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
    (void)snprintf(line, sizeof(line), "--resume %s --out %s", folder, folder);
    ck_assert_int_eq(begin(&c, line), CLI_GO_ON);
    ck_assert_str_eq(wsr_config_text(c.config, "b"), "2");
    ck_assert_str_eq(c.out, folder);
    ck_assert_int_eq(end(&c, WSR_CANCELED), CLI_CANCELED);
    (void)snprintf(line, sizeof(line),
                   "wsr-test: interrupted, go on with: wsr-test --resume %s\n",
                   folder);
    ck_assert_str_eq(printed[1], line);
    write_text(path, "a: [\n");
    (void)snprintf(line, sizeof(line), "--config %s", path);
    reject(line, "config.yaml:2)");
}
END_TEST

START_TEST(wrong_usage_is_one_line_and_code_2)
{
    reject("--ouut d", "wsr-test: --ouut: is not an option, did you mean "
                       "--out\n");
    reject("--genotypes=x", "--genotypes=x: is not an option, did you mean "
                            "--genotype\n");
    reject("--completely d", "--completely: is not an option, --help lists "
                             "them\n");
    reject("-x", "-x: is not an option");
    reject("--json=1", "--json=1: is not an option, did you mean --json\n");
    reject("--out", "--out: needs a value\n");
    reject("--json file", "'file': is not an option, nothing but options is "
                          "expected\n");
    reject("--threads 0", "--threads: '0' is outside [1, 1024]\n");
    reject("--threads 2x", "--threads: '2x' is outside [1, 1024]\n");
    reject("--threads -1", "--threads: '-1' is outside [1, 1024]\n");
    reject("--preset a --config b", "--preset and --config exclude");
    reject("--resume a --config b", "--resume takes the configuration of the");
    reject("--resume a --dry-run", "--dry-run and --resume exclude each other");
    reject("--resume a --out b", "--resume writes into the folder of the run");
    reject("--resume no/such", "wsr-test: no/such/config.yaml: No such file");
    reject("--config no/such", "wsr-test: no/such: No such file");
    reject("--set a", "wsr-test: 'a' is not key=value (--set)\n");
}
END_TEST

START_TEST(help_lists_options_and_configuration)
{
    cli c;
    ck_assert_int_eq(begin(&c, "--help --nonsense"), CLI_DONE);
    ck_assert_ptr_nonnull(strstr(printed[0], "Usage: wsr-test --out DIR\n"));
    ck_assert_ptr_nonnull(
        strstr(printed[0], "  --genotype NAME        which cells\n"));
    ck_assert_ptr_nonnull(strstr(printed[0], "  --set KEY=VALUE        set"));
    ck_assert_ptr_nonnull(
        strstr(printed[0], "\nPresets: boost, cifar10-paper, "));
    ck_assert_ptr_nonnull(strstr(printed[0], "\n  attack       apgd_ce, "));
    ck_assert_ptr_null(strstr(printed[0], "random_start"));
    ck_assert_str_eq(printed[1], "");
    ck_assert_int_eq(begin(&c, "--out d --help attack:pgd"), CLI_DONE);
    ck_assert_ptr_eq(strstr(printed[0], "pgd: "), printed[0]);
    ck_assert_ptr_nonnull(strstr(printed[0], "\n  random_start="));
    reject("--help attack:pdg", "did you mean 'attack:pgd'\n");
    ck_assert_int_eq(begin(&c, "--version"), CLI_DONE);
    ck_assert_ptr_eq(strstr(printed[0], "wsr-test 0."), printed[0]);
}
END_TEST

START_TEST(a_status_becomes_an_exit_code)
{
    static const struct {
        wsr_status status;
        int code;
    } cases[] = {{WSR_OK, 0},     {WSR_CONFIG, 2},   {WSR_ARG, 2},
                 {WSR_IO, 1},     {WSR_NOTFOUND, 2}, {WSR_NUMERIC, 1},
                 {WSR_FORMAT, 1}, {WSR_NOMEM, 1},    {WSR_CANCELED, 130}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cli c;
        ck_assert_int_eq(begin(&c, ""), CLI_GO_ON);
        ck_assert_int_eq(wsr_config_set(c.config, "x"), WSR_CONFIG);
        ck_assert_int_eq(end(&c, cases[i].status), cases[i].code);
        const wsr_status status = cases[i].status;
        ck_assert_str_eq(printed[1], status == WSR_OK ? ""
                                     : status == WSR_CANCELED
                                         ? "wsr-test: interrupted\n"
                                         : "wsr-test: 'x' is not "
                                           "key=value (--set)\n");
    }
}
END_TEST

START_TEST(output_that_is_lost_is_a_failure)
{
    cli c;
    const int full = open("/dev/full", O_WRONLY);
    if (full < 0) {
        return; // only some systems have it
    }
    ck_assert_int_eq(begin(&c, ""), CLI_GO_ON);
    (void)fflush(stdout);
    const int before = dup(1);
    ck_assert_int_eq(dup2(full, 1), 1);
    printf("result\n");
    const int code = cli_end(&c, WSR_OK);
    ck_assert_int_eq(dup2(before, 1), 1);
    (void)close(before);
    (void)close(full);
    clearerr(stdout);
    ck_assert_int_eq(code, CLI_FAILED);
}
END_TEST

START_TEST(a_signal_asks_to_stop)
{
    cli c;
    struct sigaction action;
    ck_assert_int_eq(begin(&c, "--quiet"), CLI_GO_ON);
    ck_assert(!cli_canceled());
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert(cli_canceled());
    // The next one kills.
    ck_assert_int_eq(sigaction(SIGINT, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
    ck_assert(signal(SIGINT, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(begin(&c, ""), CLI_GO_ON);
    ck_assert(!cli_canceled());
    ck_assert_int_eq(raise(SIGINT), 0); // ignored before, ignored now
    ck_assert(!cli_canceled());
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
    ck_assert(signal(SIGINT, SIG_DFL) != SIG_ERR);
    ck_assert(signal(SIGTERM, SIG_DFL) != SIG_ERR);
}
END_TEST

START_TEST(without_a_terminal_progress_is_a_line_now_and_then)
{
    cli c;
    ck_assert_int_eq(begin(&c, ""), CLI_GO_ON);
    catch_output();
    cli_progress(&c, 0.5, "epoch 1");
    cli_progress_clear(&c);
    release_output();
    ck_assert_str_eq(printed[1], "");
    catch_output();
    c.said -= 31; // seconds
    cli_progress(&c, 0.51, "epoch 2");
    cli_progress(&c, 0.52, "epoch 3");
    cli_progress_clear(&c);
    release_output();
    ck_assert_str_eq(printed[1], "wsr-test: 51 %, epoch 2\n");
    // The first call was at 50 %: a hundredth in so long, 49 are left.
    catch_output();
    c.started -= 1000;
    c.said -= 31;
    cli_progress(&c, 0.51, "epoch 2");
    release_output();
    ck_assert_msg(strncmp(printed[1], "wsr-test: 51 %, 13:3", 20) == 0, "%s",
                  printed[1]);
    ck_assert_ptr_nonnull(strstr(printed[1], " left, epoch 2\n"));
    catch_output();
    c.said -= 31;
    c.quiet = true;
    cli_progress(&c, 0.6, "epoch 4");
    release_output();
    ck_assert_str_eq(printed[1], "");
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
}
END_TEST

// What a terminal of the given type shows of a progress bar.
static void show_progress(const char *type, char *shown, size_t size)
{
    cli c;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    ck_assert_int_eq(setenv("TERM", type, 1), 0);
    ck_assert_int_eq(begin(&c, ""), CLI_GO_ON);
    const int before = dup(2);
    ck_assert_int_eq(dup2(slave, 2), 2);
    cli_progress(&c, 0.5, "epoch 1");
    cli_progress(&c, 0.6, "too soon");
    (void)fputs("end\n", stderr);
    (void)fflush(stderr);
    ck_assert_int_eq(dup2(before, 2), 2);
    (void)close(before);
    size_t n = 0; // what was written may arrive in pieces
    shown[0] = '\0';
    while (strstr(shown, "end\r\n") == NULL && n + 1 < size) {
        const ssize_t got = read(master, shown + n, size - 1 - n);
        ck_assert_int_gt(got, 0);
        n += (size_t)got;
        shown[n] = '\0';
    }
    (void)close(slave);
    (void)close(master);
    c.drawn = 0.0;
    ck_assert_int_eq(end(&c, WSR_OK), CLI_DONE);
}

START_TEST(a_terminal_shows_a_bar)
{
    char shown[512];
    show_progress("xterm", shown, sizeof(shown));
    ck_assert_str_eq(shown, "\r\033[K[############............]  50%  epoch 1"
                            "end\r\n");
    show_progress("dumb", shown, sizeof(shown));
    ck_assert_str_eq(shown, "end\r\n");
}
END_TEST

// The percentage and the time left stay in a narrow terminal.
START_TEST(progress_keeps_its_numbers_in_a_narrow_terminal)
{
    char line[256];
    const char *const text = "step 3/9  apgd_ce at 0.03";
    cli_progress_line(line, 79, 0.5, "0:12:34 left", text);
    ck_assert_str_eq(line, "[############............]  50% 0:12:34 left  "
                           "step 3/9  apgd_ce at 0.03");
    cli_progress_line(line, 39, 0.5, "0:12:34 left", text);
    ck_assert_str_eq(line, " 50% 0:12:34 left  step 3/9  apgd_ce at");
    cli_progress_line(line, 17, 1, "0:00:00 left", text);
    ck_assert_str_eq(line, "100% 0:00:00 left");
    cli_progress_line(line, 7, 0, "", text);
    ck_assert_str_eq(line, "  0%  s");
}
END_TEST

START_TEST(help_has_families_that_no_option_of_the_tool_names)
{
    cli c;
    ck_assert_int_eq(begin(&c, "--help format:npz"), CLI_DONE);
    ck_assert_ptr_nonnull(strstr(printed[0], "npz: "));
    ck_assert_int_eq(begin(&c, "--help op"), CLI_DONE);
    ck_assert_ptr_nonnull(strstr(printed[0], "\n  conv2d: "));
    reject("--help op:linea", "did you mean 'op:linear'");
    reject("--help atack", "did you mean 'attack'");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        help_has_families_that_no_option_of_the_tool_names,
        options_reach_their_places,
        assignments_are_made_in_their_order,
        a_value_in_brackets_may_be_left_out,
        a_file_comes_before_assignments,
        wrong_usage_is_one_line_and_code_2,
        help_lists_options_and_configuration,
        a_status_becomes_an_exit_code,
        output_that_is_lost_is_a_failure,
        a_signal_asks_to_stop,
        without_a_terminal_progress_is_a_line_now_and_then,
        a_terminal_shows_a_bar,
        progress_keeps_its_numbers_in_a_narrow_terminal,
        NULL,
    };
    return suite_of("tools/cli", tests);
}
