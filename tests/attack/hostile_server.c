// SPDX-License-Identifier: Apache-2.0
//
// A program that serves a model badly (docs/protocol.md), in the way that its
// first argument names; the second is a number that some ways need. The model
// is the mean of the first pixels, one for each class.
//
//   hostile_server MODE [NUMBER]

#define _GNU_SOURCE

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { C = 3, SIDE = 6, PIXELS = C * SIDE * SIDE, CLASSES = 5, MOST = 4096 };

typedef struct header {
    char type[4];
    uint32_t number;
    uint64_t query;
    uint64_t length;
} header;

// Bytes to be written; a mode may spoil them.
typedef struct output {
    unsigned char bytes[1 << 20];
    size_t n;
} output;

static const char *mode;
static unsigned long number;
static output out;
static uint64_t query; // that is answered

static bool is(const char *name)
{
    return strcmp(mode, name) == 0;
}

static void add(const void *data, size_t n)
{
    if (out.n + n <= sizeof(out.bytes)) {
        memcpy(out.bytes + out.n, data, n);
        out.n += n;
    }
}

static void add_header(const char *type, size_t count, uint64_t length)
{
    header h = {.number = (uint32_t)count, .query = query, .length = length};
    memcpy(h.type, type, 4);
    add(&h, sizeof(h));
}

static void flush(void)
{
    size_t done = 0;
    while (done < out.n) {
        const ssize_t n = write(STDOUT_FILENO, out.bytes + done, out.n - done);
        if (n <= 0) {
            _exit(9);
        }
        done += (size_t)n;
    }
    out.n = 0;
}

static void flood(void)
{
    static const char text[] = "garbage without end ";
    for (;;) {
        add(text, sizeof(text) - 1);
        flush();
    }
}

static void wait_for_ever(void)
{
    for (;;) {
        (void)pause();
    }
}

// Nobody may be left behind, whatever a program starts.
static void leave_somebody(void)
{
    if (fork() == 0) {
        wait_for_ever();
    }
}

static void hello(void)
{
    uint32_t shape[4] = {C, SIDE, SIDE, CLASSES};
    const char *const name = is("odd_name") ? "a\nb\x1b[31m\xff" : "toy";
    const size_t length = is("no_name") ? 0 : strlen(name);
    shape[0] = is("no_channels") ? 0 : shape[0];
    shape[1] = is("huge_image") ? UINT32_MAX : shape[1];
    shape[3] = is("many_classes") ? UINT32_MAX : is("one_class") ? 1 : CLASSES;
    const uint64_t said = is("long_hello") ? UINT64_MAX
                                           : sizeof(shape) + length;
    add_header(is("other_hello") ? "WSRA" : "WSRH", is("version_2") ? 2 : 1,
               is("short_hello") ? 4 : said);
    add(shape, sizeof(shape));
    add(name, length);
}

static void begin(void)
{
    if (is("hang_hello")) {
        wait_for_ever();
    } else if (is("flood")) {
        flood();
    } else if (is("text")) {
        add("Loading the model, please wait\n", 31);
    } else if (is("exit")) {
        exit((int)number);
    } else if (is("refuse_hello")) {
        add_header("WSRE", 0, 13);
        add("no weights\x07 f", 13);
    }
    hello();
    if (is("more_hello")) {
        add("x", 1);
    }
    flush();
    if (is("cut_hello")) {
        exit(0);
    }
}

static void add_logits(const float *x, size_t n)
{
    for (size_t i = 0; i < n * CLASSES; i++) {
        float z = x[i / CLASSES * PIXELS + i % CLASSES];
        z = is("nan") && i == 7 ? NAN : is("infinite") && i == 7 ? INFINITY : z;
        add(&z, sizeof(z));
    }
}

// Deterministic damage: one byte changed, or the rest cut off.
static void damage(void)
{
    const size_t at = number / 3 % out.n;
    if (number % 3 == 0) {
        out.n = at;
    } else {
        out.bytes[at] ^= number % 3 == 1 ? 0xff : 0x01;
    }
}

static void refuse(size_t length)
{
    add_header("WSRE", 0, length);
    for (size_t i = 0; i < 1024; i++) {
        add("e", 1);
    }
    flush();
    exit(3);
}

static void answer(const float *x, size_t n)
{
    uint64_t length = n * CLASSES * sizeof(float);
    if (is("refuse")) {
        add_header("WSRE", 0, 20);
        add("images are too dark\n", 20);
        flush();
        exit(1);
    } else if (is("refuse_long")) {
        refuse(SIZE_MAX);
    } else if (is("signal")) {
        raise(SIGKILL);
    } else if (is("hang")) {
        wait_for_ever();
    } else if (is("close")) {
        (void)close(STDOUT_FILENO);
        wait_for_ever();
    }
    length = is("length") ? UINT64_MAX : is("odd_length") ? length + 1 : length;
    add_header(is("query_back") ? "WSRQ" : "WSRA", is("count") ? n + 1 : n,
               length);
    if (is("flood_answer")) {
        flood();
    }
    add_logits(x, n);
    if (is("short")) {
        out.n -= 6;
    } else if (is("more")) {
        add("x", 1);
    } else if (is("damage")) {
        damage();
    }
    if (is("slow")) {
        for (size_t i = 0; i < out.n; i++) {
            (void)usleep(100 * 1000);
            (void)!write(STDOUT_FILENO, out.bytes + i, 1);
        }
        out.n = 0;
    }
    flush();
    if (is("short") || is("damage")) {
        exit(0);
    } else if (is("twice")) {
        add_header("WSRA", n, length);
        add_logits(x, n);
        flush();
    }
}

// Whether all bytes came; the end of the input is no failure.
static bool receive(void *data, size_t n)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t more = read(STDIN_FILENO, (char *)data + done, n - done);
        if (more <= 0) {
            return false;
        }
        done += (size_t)more;
    }
    return true;
}

int main(int argc, char **argv)
{
    static float x[MOST * PIXELS];
    unsigned long served = 0;
    header h;
    mode = argc > 1 ? argv[1] : "honest";
    number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (is("lingering") || is("lingering_hang")) {
        (void)signal(SIGTERM, SIG_IGN);
        leave_somebody();
    }
    begin();
    if (is("deaf")) {
        (void)close(STDIN_FILENO);
        (void)usleep(400 * 1000);
        return 4;
    } else if (is("deaf_hang") || is("lingering_hang")) {
        wait_for_ever();
    }
    while (receive(&h, sizeof(h))) {
        if (is("die") && served == number) {
            return 5;
        }
        if (h.number > MOST || !receive(x, h.length)) {
            return 6;
        }
        query = is("other_query") ? h.query + 1 : h.query;
        answer(x, h.number);
        served++;
    }
    if (is("lingering")) {
        wait_for_ever(); // although it was told to end
    }
    return 0;
}
