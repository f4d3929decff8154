// SPDX-License-Identifier: Apache-2.0
//
// Runs within this process whose n-th call about a file fails (the linker puts
// the functions below between the library and the C library). A failure is IO
// and one line; it leaves no memory, no open file, no temporary file; and what
// is taken up again ends with the same bytes. faults.py does the same from
// outside, for calls of other libraries, too.

#include "base/base.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"
#include "wsr/eval.h"
#include "wsr/net.h"
#include "wsr/report.h"
#include "wsr/train.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// -------------------------------------------------------------- the failures

static size_t calls;
static size_t failing; // 0: none
static const char *failed;
static const FILE *broken; // the stream whose read failed

static bool fails(const char *name)
{
    calls++;
    if (calls != failing) {
        return false;
    }
    failed = name;
    errno = EIO;
    return true;
}

// The linker's names for the functions of the C library and those that the
// library calls instead.
// NOLINTBEGIN(bugprone-reserved-identifier)
#define WRAP(type, name, parameters, arguments, failure)           \
    type __real_##name parameters;                                 \
    type __wrap_##name parameters;                                 \
    type __wrap_##name parameters                                  \
    {                                                              \
        return fails(#name) ? (failure) : __real_##name arguments; \
    }

WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
WRAP(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL)
WRAP(size_t, fwrite, (const void *p, size_t size, size_t n, FILE *f),
     (p, size, n, f), 0)
WRAP(int, fflush, (FILE * f), (f), EOF)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, fseeko, (FILE * f, off_t at, int from), (f, at, from), -1)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(int, link, (const char *from, const char *to), (from, to), -1)
WRAP(int, unlink, (const char *path), (path), -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
WRAP(int, access, (const char *path, int mode), (path, mode), -1)
WRAP(int, stat, (const char *path, struct stat *info), (path, info), -1)
WRAP(int, fstat, (int fd, struct stat *info), (fd, info), -1)
WRAP(int, flock, (int fd, int how), (fd, how), -1)
WRAP(DIR *, opendir, (const char *path), (path), NULL)
WRAP(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), -1)
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
     (fd, p, n, at), -1)
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), -1)
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), -1)

// What is closed is closed even if that fails.
int __real_fclose(FILE *f);
int __wrap_fclose(FILE *f);

int __wrap_fclose(FILE *f)
{
    const bool failure = fails("fclose");
    const int result = __real_fclose(f);
    if (failure) {
        errno = EIO;
    }
    return failure ? EOF : result;
}

size_t __real_fread(void *p, size_t size, size_t n, FILE *f);
size_t __wrap_fread(void *p, size_t size, size_t n, FILE *f);

size_t __wrap_fread(void *p, size_t size, size_t n, FILE *f)
{
    broken = fails("fread") ? f : NULL;
    return broken == NULL ? __real_fread(p, size, n, f) : 0;
}

int __real_ferror(FILE *f);
int __wrap_ferror(FILE *f);

int __wrap_ferror(FILE *f)
{
    errno = broken == f ? EIO : errno;
    return broken == f || __real_ferror(f);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    unsigned mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list more;
        va_start(more, flags);
        // The analyser takes the list for one that nobody began.
        // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
        mode = va_arg(more, unsigned);
        va_end(more);
    }
    return fails("open") ? -1 : __real_open(path, flags, mode);
}
// NOLINTEND(bugprone-reserved-identifier)

// ------------------------------------------------------------------ the runs

static char folder[600];
static char network[600]; // of an earlier run

static const char settings[] =
    "seed: 3\n"
    "threads: 1\n"
    "data: {spec: \"synthetic:size=8,count=16,test_count=8,classes=2\"}\n";
static const char training[] =
    "net: {genotype: cna_r, channels: 2, layers: 1}\n"
    "train: {trainer: natural, epochs: 2, batch: 8, eval_count: 4,\n"
    "        eval_attack: fgsm, export: npz, ema: 0.9}\n"
    "eval: {attack: fgsm, eps: [0.03], count: 4}\n";
static const char attacking[] =
    "attack: {list: \"fgsm,pgd:steps=2\", eps: [0.02, 0.05], count: 4,\n"
    "         batch: 2}\n";

static wsr_config *config_of(const char *more)
{
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load_text(config, settings, "test"));
    ck_assert_ok(wsr_config_load_text(config, more, "test"));
    if (strcmp(more, attacking) == 0) {
        char assignment[700];
        (void)snprintf(assignment, sizeof(assignment), "net.file=%s", network);
        ck_assert_ok(wsr_config_set(config, assignment));
    }
    return config;
}

static bool begun(void)
{
    return access(path_in(folder, "config.yaml"), F_OK) == 0;
}

static wsr_status train(const wsr_config *config)
{
    const wsr_status status =
        wsr_train_run(NULL, config, folder, begun(), NULL, NULL);
    return status == WSR_OK ? wsr_report_write(folder) : status;
}

static wsr_status evaluate(const wsr_config *config)
{
    const wsr_status status =
        wsr_eval_run(NULL, config, folder, begun(), NULL, NULL);
    return status == WSR_OK ? wsr_report_write(folder) : status;
}

// A network is read and written in every format.
static wsr_status convert(const wsr_config *config)
{
    static const char *const names[] = {"n.safetensors", "n.pth", "n.npz",
                                        "n.onnx"};
    wsr_status status = WSR_OK;
    wsr_net *net = NULL;
    (void)config;
    WSR_TRY(wsr__make_directory(folder));
    WSR_TRY(wsr_net_load(&net, network, NULL));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        wsr_net *again = NULL;
        char path[700];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        WSR_TRY(wsr_net_save(net, path));
        WSR_TRY(wsr_net_load(&again, path, NULL));
        wsr_net_free(again);
    }
out:
    wsr_net_free(net);
    return status;
}

typedef struct job {
    const char *name;
    wsr_status (*call)(const wsr_config *config);
    const char *config;
    const char *files[5]; // the same whenever it ends
} job;

static const job jobs[] = {
    {"train",
     train,
     training,
     {"net.safetensors", "net.npz", "checkpoint.safetensors", "config.yaml"}},
    {"eval", evaluate, attacking, {"images.csv", "config.yaml"}},
    {"convert", convert, "", {"n.safetensors", "n.pth", "n.npz", "n.onnx"}},
};

// Entries of a folder, those that end in a suffix if there is one; -1: there is
// no folder.
static int entries(const char *path, const char *suffix)
{
    DIR *const dir = opendir(path);
    int n = dir == NULL ? -1 : 0;
    for (const struct dirent *e = NULL;
         dir != NULL && (e = readdir(dir)) != NULL;) {
        const char *const end = strrchr(e->d_name, '.');
        n += suffix == NULL || (end != NULL && strcmp(end, suffix) == 0);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}

static void keep(bytes out[5], const job *j)
{
    for (size_t i = 0; i < 5 && j->files[i] != NULL; i++) {
        out[i] = get_file(path_in(folder, j->files[i]));
    }
}

static void expect_same(const bytes whole[5], const job *j, const char *where)
{
    for (size_t i = 0; i < 5 && j->files[i] != NULL; i++) {
        bytes b = get_file(path_in(folder, j->files[i]));
        ck_assert_msg(b.size == whole[i].size && whole[i].data != NULL &&
                          memcmp(b.data, whole[i].data, b.size) == 0,
                      "%s: other bytes in %s", where, j->files[i]);
        bytes_free(&b);
    }
}

// Run the job with call `nth` failing, and again without; whether there was
// such a call.
static bool fail_one(const job *j, const wsr_config *config, size_t nth,
                     const bytes whole[5])
{
    char where[128];
    const int open_before = entries("/proc/self/fd", NULL);
    (void)snprintf(folder, sizeof(folder), "%s", scratch_folder(j->name));
    oom_begin(0);
    calls = 0;
    failing = nth;
    failed = NULL;
    broken = NULL;
    const wsr_status status = j->call(config);
    failing = 0;
    const size_t left = oom_live();
    oom_end();
    (void)snprintf(where, sizeof(where), "%s, call %zu, %s", j->name, nth,
                   failed == NULL ? "none" : failed);
    ck_assert_msg(status == WSR_OK || status == WSR_IO ||
                      status == WSR_NOTFOUND || status == WSR_ARG,
                  "%s: %s: %s", where, wsr_status_string(status),
                  wsr_error_detail());
    ck_assert_msg(status == WSR_OK ||
                      (wsr_error_detail()[0] != '\0' &&
                       strchr(wsr_error_detail(), '\n') == NULL),
                  "%s: '%s'", where, wsr_error_detail());
    ck_assert_msg(left == 0, "%s: leaves %zu blocks", where, left);
    ck_assert_msg(entries("/proc/self/fd", NULL) == open_before,
                  "%s: leaves files open", where);
    const bool removal = failed != NULL &&
                         strstr("unlink rename link", failed) != NULL;
    ck_assert_msg(removal || entries(folder, ".tmp") <= 0,
                  "%s: leaves a temporary file", where);
    if (status != WSR_OK) {
        ck_assert_msg(j->call(config) == WSR_OK, "%s: taken up again: %s",
                      where, wsr_error_detail());
    }
    expect_same(whole, j, where);
    return failed != NULL;
}

static void sweep(const job *j)
{
    bytes whole[5] = {0};
    wsr_config *const config = config_of(j->config);
    (void)snprintf(folder, sizeof(folder), "%s", scratch_folder(j->name));
    calls = 0;
    ck_assert_ok(j->call(config));
    const size_t all = calls;
    keep(whole, j);
    size_t done = 0;
    for (size_t nth = 1; nth <= all; nth += SWEEP_STEP) {
        done += fail_one(j, config, nth, whole);
    }
    ck_assert_uint_ge(done, all / SWEEP_STEP * 9 / 10);
    printf("%s: %zu of %zu calls failed\n", j->name, done, all);
    wsr_config_free(config);
    for (size_t i = 0; i < 5; i++) {
        bytes_free(&whole[i]);
    }
}

START_TEST(a_call_that_fails_costs_nothing)
{
    wsr_net *net = NULL;
    (void)snprintf(network, sizeof(network), "%s/net.safetensors",
                   scratch_folder("network"));
    wsr_set_threads(1);
    ck_assert_ok(wsr_net_new_kind(
        &net, "network",
        "genotype=cna_r,channels=2,layers=1,classes=2,image_size=8", 1));
    ck_assert_ok(wsr_net_save(net, network));
    wsr_net_free(net);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        sweep(&jobs[i]);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_call_that_fails_costs_nothing, NULL};
    return suite_of("files", tests);
}
