// SPDX-License-Identifier: Apache-2.0
//
// Programs as models: an honest one gives the logits that it should; whatever
// others do ends in one line that names the program, in time, without zombies,
// open files, large allocations or SIGPIPE.

#include "attack/model_support.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

enum { N = 40 };

static float images[N * TOY_D];

static const char *command(const char *mode)
{
    static char text[1024];
    (void)snprintf(text, sizeof(text), "%s %s", WSR_HOSTILE_SERVER, mode);
    return text;
}

static void make_images(void)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * TOY_D; i++) {
        images[i] = wsr__rng_uniform(&rng);
    }
}

static size_t open_files(void)
{
    size_t n = 0;
    DIR *const dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}

// Nothing is left of a program: no child, dead or alive, and no pipe.
static void expect_nothing_left(size_t files_before)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_uint_eq(open_files(), files_before);
}

// Largest block that was asked for.
static size_t largest;

static void *allocate(void *user, size_t size, size_t align)
{
    void *ptr = NULL;
    (void)user;
    largest = size > largest ? size : largest;
    return posix_memalign(&ptr, align, size) == 0 ? ptr : NULL;
}

static void release(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static const wsr_allocator counting = {allocate, release, NULL};

// ------------------------------------------------------------------- honest

START_TEST(an_honest_program_is_a_model)
{
    const size_t before = open_files();
    static float logits[N * TOY_CLASSES];
    wsr_model *model = NULL;
    make_images();
    ck_assert_ok(wsr_model_from_command(&model, command("honest"), "batch=7"));
    ck_assert_int_eq(wsr_model_shape(model)->dims[0], TOY_C);
    ck_assert_int_eq(wsr_model_shape(model)->dims[2], TOY_SIDE);
    ck_assert_uint_eq(wsr_model_classes(model), TOY_CLASSES);
    ck_assert_uint_eq(wsr_model_batch(model), 7);
    for (size_t round = 0; round < 2; round++) {
        ck_assert_ok(wsr_model_logits(logits, model, images, N));
        for (size_t i = 0; i < N * TOY_CLASSES; i++) {
            const float want =
                images[i / TOY_CLASSES * TOY_D + i % TOY_CLASSES];
            ck_assert(same_bits(&logits[i], &want, sizeof(want)));
        }
    }
    ck_assert_uint_eq(wsr_model_queries(model), 2 * N);
    wsr_model_free(model);
    expect_nothing_left(before);
}
END_TEST

// The program sees range (x - mean) / std, by channel.
START_TEST(images_are_normalised_before_they_are_sent)
{
    float logits[TOY_CLASSES];
    wsr_model *model = NULL;
    make_images();
    ck_assert_ok(
        wsr_model_from_command(&model, command("honest"),
                               "mean=[0.5,0.4,0.3],std=[0.25,0.5,1],range=2"));
    ck_assert_ok(wsr_model_logits(logits, model, images, 1));
    for (size_t c = 0; c < TOY_CLASSES; c++) {
        const float want = 2 * ((images[c] - 0.5f) / 0.25f);
        ck_assert_float_eq_tol(logits[c], want, 1e-6f);
    }
    wsr_model_free(model);
    ck_assert_fails(
        wsr_model_from_command(&model, command("honest"), "std=[0.25,0.5]"),
        WSR_CONFIG, "2 values do not fit 3 channels");
    ck_assert_fails(
        wsr_model_from_command(&model, command("honest"), "timeout=0"),
        WSR_CONFIG, "timeout");
    ck_assert_ptr_null(model);
}
END_TEST

// An attack on it is the attack on the same model of callbacks.
static wsr_status first_pixels(float *logits, const float *x, size_t n,
                               void *user)
{
    (void)user;
    for (size_t i = 0; i < n * TOY_CLASSES; i++) {
        logits[i] = x[i / TOY_CLASSES * TOY_D + i % TOY_CLASSES];
    }
    return WSR_OK;
}

START_TEST(attacks_without_gradients_work_as_on_any_model)
{
    static const char *const specs[] = {"square:queries=30", "gn",
                                        "spsa:steps=2,samples=5", NULL};
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    const float eps[] = {0.01f, 0.05f};
    int32_t labels[N];
    float logits[N * TOY_CLASSES];
    wsr_model *model = NULL;
    wsr_model *same = NULL;
    make_images();
    ck_assert_ok(first_pixels(logits, images, N, NULL));
    for (size_t i = 0; i < N; i++) {
        labels[i] = wsr__argmax(logits + i * TOY_CLASSES, TOY_CLASSES);
    }
    ck_assert_ok(
        wsr_model_new(&same, &shape, TOY_CLASSES, first_pixels, NULL, NULL));
    ck_assert_ok(wsr_model_from_command(&model, command("honest"), NULL));
    for (size_t k = 0; specs[k] != NULL; k++) {
        const toy_task have = {model, images, labels, N};
        const toy_task want = {same, images, labels, N};
        wsr_attack_result *const a =
            toy_attack(specs[k], "seed=3,queries=25", eps, 2, &have);
        wsr_attack_result *const b =
            toy_attack(specs[k], "seed=3,queries=25", eps, 2, &want);
        ck_assert(same_bits(wsr_attack_result_images(a, 1),
                            wsr_attack_result_images(b, 1), sizeof(images)));
        ck_assert(same_bits(wsr_attack_result_queries(a, 1),
                            wsr_attack_result_queries(b, 1),
                            N * sizeof(uint32_t)));
        ck_assert_uint_eq(wsr_model_queries(model), wsr_model_queries(same));
        wsr_attack_result_free(a);
        wsr_attack_result_free(b);
    }
    wsr_model_free(same);
    wsr_model_free(model);
}
END_TEST

START_TEST(attacks_with_gradients_are_refused_and_the_others_named)
{
    const int32_t label = 0;
    wsr_model *model = NULL;
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;
    make_images();
    ck_assert_ok(wsr_model_from_command(&model, command("honest"), NULL));
    ck_assert_ok(wsr_attack_new(&attack, "chain:attacks=[square,pgd]", NULL));
    ck_assert_fails(wsr_attack_run(&result, attack, model, images, &label, 1),
                    WSR_ARG, "that need none: gn, spsa, square, transfer");
    ck_assert_uint_eq(wsr_model_queries(model), 0);
    wsr_attack_free(attack);
    wsr_model_free(model);
}
END_TEST

// ------------------------------------------------------------------ hostile

typedef struct fault {
    const char *mode;
    wsr_status status;
    const char *words;
} fault;

// Where the beginning already shows it.
static const fault beginnings[] = {
    {"hang_hello", WSR_IO, "did not answer within 0.3 s"},
    {"flood", WSR_FORMAT, "wrote 'garbage without "},
    {"text", WSR_FORMAT, "wrote 'Loading the mode"},
    {"exit 0", WSR_IO, "ended with exit status 0 instead of answering"},
    {"exit 3", WSR_IO, "ended with exit status 3 instead of answering"},
    {"cut_hello", WSR_OK, ""},
    {"exit 3; exit 7", WSR_IO, "ended with exit status 7 instead of"},
    {"honest | cat", WSR_OK, ""},
    {"refuse_hello", WSR_IO, "says: no weights? f"},
    {"other_hello", WSR_FORMAT, "began with the message WSRA, not with WSRH"},
    {"version_2", WSR_FORMAT, "speaks version 2 of the protocol, not version"},
    {"short_hello", WSR_FORMAT, "announces 4 bytes of shape and name"},
    {"long_hello", WSR_FORMAT, "announces 18446744073709551615 bytes"},
    {"more_hello", WSR_FORMAT, "wrote more than the message"},
    {"many_classes", WSR_FORMAT, "announces 4294967295 classes"},
    {"one_class", WSR_FORMAT, "announces 1 classes"},
    {"no_channels", WSR_FORMAT, "announces 0 channels"},
    {"huge_image", WSR_FORMAT, "announces 4294967295 rows of pixels"},
};

// Where an answer does.
static const fault answers[] = {
    {"odd_name", WSR_OK, ""},
    {"no_name", WSR_OK, ""},
    {"hang", WSR_IO, "did not answer within 0.3 s"},
    {"slow", WSR_IO, "did not answer within 0.3 s"},
    {"deaf", WSR_IO, "ended with exit status 4 instead of answering"},
    {"deaf_hang", WSR_IO, "within 0.3 s"},
    {"lingering_hang", WSR_IO, "within 0.3 s"},
    {"lingering", WSR_OK, ""},
    {"close", WSR_IO, "closed its standard output"},
    {"signal", WSR_IO, "was ended by signal 9"},
    {"die 0", WSR_IO, "ended with exit status 5 instead of answering"},
    {"die 1", WSR_IO, "ended with exit status 5 instead of answering"},
    {"short", WSR_IO, "ended with exit status 0 instead of answering"},
    {"more", WSR_FORMAT, "wrote more than the message"},
    {"twice", WSR_FORMAT, ""},
    {"other_query", WSR_FORMAT, "answered query 2 where query 1 waits"},
    {"count", WSR_FORMAT, "images, 20 were sent"},
    {"length", WSR_FORMAT, "announces 18446744073709551615 bytes of logits"},
    {"odd_length", WSR_FORMAT, "announces 401 bytes of logits"},
    {"query_back", WSR_FORMAT, "answered with the message WSRQ, not with WSRA"},
    {"flood_answer", WSR_FORMAT, ""},
    {"nan", WSR_NUMERIC, "logit 2 of image 1 of its 20 is nan, not finite"},
    {"infinite", WSR_NUMERIC, "logit 2 of image 1 of its 20 is inf"},
    {"refuse", WSR_IO, "says: images are too dark?"},
    {"refuse_long", WSR_FORMAT, "announces an error text of"},
};

static void expect_fault(const fault *f, wsr_status status)
{
    const char *const detail = wsr_error_detail();
    ck_assert_msg(status == f->status, "%s: %s: %s", f->mode,
                  wsr_status_string(status), detail);
    if (status != WSR_OK) {
        ck_assert_msg(strstr(detail, f->words) != NULL, "%s: %s", f->mode,
                      detail);
        ck_assert_msg(strncmp(detail, WSR_HOSTILE_SERVER, 20) == 0, "%s: %s",
                      f->mode, detail);
        ck_assert_ptr_null(strchr(detail, '\n'));
    }
}

START_TEST(faults_at_the_beginning_get_one_line)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        const size_t before = open_files();
        wsr_model *model = NULL;
        const double start = wsr__seconds();
        const bool patient = strcmp(beginnings[i].mode, "hang_hello") != 0;
        const wsr_status status =
            wsr_model_from_command(&model, command(beginnings[i].mode),
                                   patient ? "timeout=60" : "timeout=0.3");
        expect_fault(&beginnings[i], status);
        ck_assert((model == NULL) == (status != WSR_OK));
        wsr_model_free(model);
        ck_assert_double_lt(wsr__seconds() - start, 30);
        expect_nothing_left(before);
    }
}
END_TEST

static bool in_time(const char *mode)
{
    return strstr(mode, "hang") == NULL && strcmp(mode, "slow") != 0;
}

// The limit counts from the query on, so a slow start costs nothing: the model
// is made with a long one, which these modes keep.
START_TEST(faults_of_answers_get_one_line)
{
    static float logits[N * TOY_CLASSES];
    make_images();
    largest = 0;
    wsr_set_allocator(&counting);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const fault *const f = &answers[i];
        const size_t before = open_files();
        wsr_model *model = NULL;
        wsr_status status = WSR_OK;
        ck_assert_ok(wsr_model_from_command(
            &model, command(f->mode),
            in_time(f->mode) ? "batch=20" : "batch=20,timeout=0.3"));
        // Two queries: some faults show in the second one only, and a program
        // that does not read fills its pipe.
        for (size_t k = 0; k < 200 && status == WSR_OK; k++) {
            status = wsr_model_logits(logits, model, images, N);
            k += in_time(f->mode) ? 100 : 0;
        }
        expect_fault(f, status);
        if (status != WSR_OK) {
            ck_assert_fails(wsr_model_logits(logits, model, images, 1), WSR_IO,
                            "does not run any more");
        }
        ck_assert_uint_lt(largest, 1 << 20);
        wsr_model_free(model);
        expect_nothing_left(before);
    }
    wsr_set_allocator(NULL);
}
END_TEST

// Every byte of an answer changed, and the answer cut at every byte: logits, or
// one line.
START_TEST(damaged_answers_do_no_harm)
{
    float logits[2 * TOY_CLASSES];
    const size_t before = open_files();
    make_images();
    for (size_t i = 0; i < 3 * (24 + sizeof(logits)); i += 1 + i % 2) {
        char mode[32];
        wsr_model *model = NULL;
        (void)snprintf(mode, sizeof(mode), "damage %zu", i);
        ck_assert_ok(wsr_model_from_command(&model, command(mode), NULL));
        const wsr_status status = wsr_model_logits(logits, model, images, 2);
        ck_assert_msg(status == WSR_OK || status == WSR_IO ||
                          status == WSR_FORMAT || status == WSR_NUMERIC,
                      "%s: %s", mode, wsr_error_detail());
        // What is not in the header is a number like any other.
        ck_assert_msg(status != WSR_OK || (i / 3 >= 24 && i % 3 > 0), "%s",
                      mode);
        wsr_model_free(model);
    }
    expect_nothing_left(before);
}
END_TEST

START_TEST(programs_that_are_not_there_are_named)
{
    const size_t before = open_files();
    wsr_model *model = NULL;
    ck_assert_fails(wsr_model_from_command(&model, "./no_such  one", NULL),
                    WSR_NOTFOUND, "./no_such  one: there is no such program");
    ck_assert_fails(wsr_model_from_command(&model, "/dev/null", NULL),
                    WSR_NOTFOUND, "cannot be run");
    ck_assert_fails(wsr_model_from_command(&model, "(./no_such) 2>&-", NULL),
                    WSR_NOTFOUND, "there is no such program");
    ck_assert_fails(wsr_model_from_command(&model, " ", NULL), WSR_NOTFOUND,
                    "there is no such program");
    expect_nothing_left(before);
}
END_TEST

// A caller that has blocked SIGPIPE, and one with a pending one, keep theirs.
START_TEST(a_signal_of_the_caller_stays_his)
{
    float logits[TOY_CLASSES];
    wsr_model *model = NULL;
    sigset_t broken;
    sigset_t old;
    sigset_t pending;
    make_images();
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &broken, &old), 0);
    for (size_t round = 0; round < 2; round++) {
        if (round == 1) {
            ck_assert_int_eq(raise(SIGPIPE), 0);
        }
        ck_assert_ok(wsr_model_from_command(&model, command("deaf"), NULL));
        const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
        (void)nanosleep(&pause, NULL); // it has closed its input by then
        ck_assert_fails(wsr_model_logits(logits, model, images, 1), WSR_IO,
                        "ended with exit status 4");
        wsr_model_free(model);
        ck_assert_int_eq(sigpending(&pending), 0);
        ck_assert_int_eq(sigismember(&pending, SIGPIPE), round == 1);
    }
    int got = 0;
    ck_assert_int_eq(sigwait(&broken, &got), 0);
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        an_honest_program_is_a_model,
        images_are_normalised_before_they_are_sent,
        attacks_without_gradients_work_as_on_any_model,
        attacks_with_gradients_are_refused_and_the_others_named,
        faults_at_the_beginning_get_one_line,
        faults_of_answers_get_one_line,
        damaged_answers_do_no_harm,
        programs_that_are_not_there_are_named,
        a_signal_of_the_caller_stays_his,
        NULL};
    return suite_of("model of a program", tests);
}
