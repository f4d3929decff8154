// SPDX-License-Identifier: Apache-2.0
//
// Progress on stderr: on a terminal a line that is drawn again and again,
// otherwise a line every 30 seconds.

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool is_terminal(void)
{
    const char *const term = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && term != NULL && term[0] != '\0' &&
           strcmp(term, "dumb") != 0;
}

// Asked for each time, since a window may be resized.
static size_t terminal_width(void)
{
    enum { USUAL = 80, LEAST = 8 };
    struct winsize size = {0};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    return known && size.ws_col >= LEAST ? size.ws_col : USUAL;
}

void cli_progress_clear(cli *c)
{
    if (c->drawn > 0.0) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        c->drawn = 0.0;
    }
}

// Time that is left at the speed since the first call, which a run that was
// taken up does not begin at 0.
static void forecast(char out[32], const cli *c, double done, double t)
{
    enum { MOST_SECONDS = 360000 };
    const double since = t - c->started;
    const double moved = done - c->first;
    const double rest = moved > 0.0 ? since * (1.0 - done) / moved : -1.0;
    out[0] = '\0';
    if (since > 2.0 && rest >= 0.0 && rest < MOST_SECONDS) {
        const int s = (int)rest;
        (void)snprintf(out, 32, "%d:%02d:%02d left", s / 3600, s / 60 % 60,
                       s % 60);
    }
}

// Percentage and remaining time come before the text, so that a narrow
// terminal cuts the text.
void cli_progress_line(char *out, size_t width, double done, const char *left,
                       const char *text)
{
    enum { BAR = 24, WIDE = 72 }; // below that there is no bar
    static const char full[] = "########################";
    static const char empty[] = "........................";
    const int filled = (int)(done * BAR);
    char line[320];
    int n = 0;
    if (width >= WIDE) {
        n = snprintf(line, sizeof(line), "[%.*s%.*s] ", filled, full,
                     BAR - filled, empty);
    }
    (void)snprintf(line + n, sizeof(line) - (size_t)n, "%3d%%%s%s  %s",
                   (int)(done * 100.0), left[0] != '\0' ? " " : "", left, text);
    (void)snprintf(out, width + 1, "%s", line);
}

// Where there is no terminal a line now and then shows that all is well.
static void say(cli *c, double done, double t, const char *text)
{
    const double apart = 30.0; // seconds
    char left[32];
    if (t - c->said >= apart) {
        forecast(left, c, done, t);
        (void)fprintf(stderr, "%s: %.0f %%%s%s, %s\n", c->tool->name,
                      100.0 * done, left[0] != '\0' ? ", " : "", left, text);
        c->said = t;
    }
}

// At most ten times a second.
static void draw(cli *c, double done, double t, const char *text)
{
    char line[512];
    char left[32];
    const size_t width = terminal_width() - 1;
    if (c->drawn > 0.0 && t - c->drawn < 0.1) {
        return;
    }
    forecast(left, c, done, t);
    cli_progress_line(line, width < sizeof(line) ? width : sizeof(line) - 1,
                      done, left, text);
    (void)fprintf(stderr, "\r\033[K%s", line);
    (void)fflush(stderr);
    c->drawn = t;
}

void cli_progress(cli *c, double fraction, const char *text)
{
    const double t = now();
    const double done = fraction > 0.0 ? (fraction < 1.0 ? fraction : 1.0)
                                       : 0.0;
    if (c->quiet) {
        return;
    }
    if (c->started <= 0.0) {
        c->started = t;
        c->first = done;
        c->said = t;
    }
    if (is_terminal()) {
        draw(c, done, t, text);
    } else {
        say(c, done, t, text);
    }
}
