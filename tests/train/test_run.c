// SPDX-License-Identifier: Apache-2.0
//
// Whole runs through the public interface: what they write, that they learn,
// and that an interrupted one ends with the same bytes.

#include "support/pictures.h"
#include "support/support.h"
#include "train/train.h"
#include "wsr/result.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char tiny[] =
    "seed: 3\n"
    "threads: 1\n"
    "data: {spec: \"synthetic:size=16,count=44,test_count=24,classes=3\"}\n"
    "net: {genotype: cna_r, channels: 4, layers: 3, auxiliary: false,\n"
    "      drop_path: 0.2}\n"
    "train:\n"
    "  trainer: \"madry:steps=2\"\n"
    "  epochs: 2\n"
    "  batch: 16\n"
    "  lr: 0.05\n"
    "  augment: [random_crop:pad=2, flip]\n"
    "  eval_count: 16\n"
    "  eval_attack: \"pgd:steps=2\"\n"
    "  keep: best_robust\n"
    "  log_every: 1\n"
    "eval: {attack: \"fgsm,pgd:steps=2\", eps: [0.03, 0.1], count: 24,\n"
    "           batch: 8}\n";

enum { STEPS = 2 * 3 + 2 + 6 }; // of such a run

static wsr_config *config_of(const char *text, const char *assignment)
{
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load_text(config, text, "test"));
    if (assignment != NULL) {
        ck_assert_ok(wsr_config_set(config, assignment));
    }
    return config;
}

static wsr_status run_it(const char *dir, const char *assignment)
{
    wsr_config *const config = config_of(tiny, assignment);
    const wsr_status status =
        wsr_train_run(NULL, config, dir, false, NULL, NULL);
    wsr_config_free(config);
    return status;
}

typedef struct counter {
    size_t calls;       // after the end of a step
    size_t stop;        // say stop at this one and after
    size_t stop_inside; // say stop at this one of all calls; 0: never
    size_t passes;      // all calls
    double part;
    size_t done; // at the last call, of a phase
    char phase[16];
} counter;

static bool count(const wsr_progress *p, void *user)
{
    counter *const c = user;
    if (p->line != NULL) {
        return c->calls < c->stop;
    }
    ck_assert(p->phase != NULL && p->note != NULL);
    ck_assert_uint_le(p->step, p->steps);
    ck_assert_double_le(p->done, 1);
    ck_assert_double_ge(p->part, c->part);
    ck_assert_double_le(p->part, 1);
    c->part = p->part;
    c->passes++;
    if (c->passes == c->stop_inside) {
        return false;
    }
    // Inside a step nothing has ended since the last call.
    if (p->step == 0 ||
        (strcmp(c->phase, p->phase) == 0 && c->done == p->step)) {
        return c->calls < c->stop;
    }
    (void)snprintf(c->phase, sizeof(c->phase), "%s", p->phase);
    c->done = p->step;
    return ++c->calls < c->stop;
}

static void expect_same(const char *a, const char *b, const char *name)
{
    bytes x = get_file(path_in(a, name));
    bytes y = get_file(path_in(b, name));
    ck_assert_msg(x.size == y.size && memcmp(x.data, y.data, x.size) == 0,
                  "%s differs between %s and %s", name, a, b);
    bytes_free(&x);
    bytes_free(&y);
}

static void keep_name(char out[512], const char *name)
{
    (void)snprintf(out, 512, "%s", scratch_folder(name));
}

// The run that nobody stops, which several tests look at.
static struct {
    char dir[512];
    counter count;
} whole;

static void run_whole(void)
{
    wsr_config *const config = config_of(tiny, NULL);
    keep_name(whole.dir, "whole");
    whole.count = (counter){.stop = SIZE_MAX};
    ck_assert_ok(
        wsr_train_run(NULL, config, whole.dir, false, count, &whole.count));
    wsr_config_free(config);
}

START_TEST(a_run_interrupted_anywhere_ends_with_the_same_bytes)
{
    wsr_config *const config = config_of(tiny, NULL);
    ck_assert_uint_eq(whole.count.calls, STEPS);
    // Within an epoch, at its end, in and after validation, in the evaluation.
    static const size_t stops[] = {1, 3, 4, 5, 8, 10, STEPS};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        const size_t stop = stops[i];
        char parts[512];
        keep_name(parts, "parts");
        counter c = {.stop = stop};
        ck_assert_int_eq(wsr_train_run(NULL, config, parts, false, count, &c),
                         WSR_CANCELED);
        ck_assert_uint_eq(c.calls, stop);
        // Stopped a second time soon after, and then left alone.
        c = (counter){.stop = 2};
        wsr_status status = wsr_train_run(NULL, NULL, parts, true, count, &c);
        ck_assert(status == WSR_OK || status == WSR_CANCELED);
        ck_assert_ok(wsr_train_run(NULL, config, parts, true, NULL, NULL));
        expect_same(whole.dir, parts, "net.safetensors");
        expect_same(whole.dir, parts, "checkpoint.safetensors");
        expect_same(whole.dir, parts, "config.yaml");
    }
    wsr_config_free(config);
}
END_TEST

static const char photographs[] =
    "seed: 3\n"
    "threads: 1\n"
    "data: {size: 64}\n"
    "net: {name: resnet, stem: imagenet, depth: 18, width: 4}\n"
    "train:\n"
    "  trainer: \"madry:steps=1\"\n"
    "  epochs: 2\n"
    "  batch: 4\n"
    "  repeats: 2\n"
    "  augment: [random_resized_crop, flip]\n"
    "  eval_count: 4\n"
    "  eval_attack: \"pgd:steps=1\"\n"
    "eval: {attack: fgsm, eps: 0.03, count: 4, batch: 4}\n";

static void put_photographs(const char *folder)
{
    static const char *const classes[] = {"cat", "dog"};
    for (uint32_t i = 0; i < 16; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "%s/%s/%02u.jpg",
                       i < 11 ? "train" : "val", classes[i % 2], i);
        put_picture(folder, name, 70 + (int)(i % 3) * 20, 100, i);
    }
}

// Images in files, read by several threads: neither they nor a stop show.
START_TEST(training_on_files_ends_with_the_same_bytes_whatever_reads_them)
{
    static const char *const workers[] = {"train.workers=0", "train.workers=3"};
    char folder[512];
    char undisturbed[512];
    char spec[1024];
    need_pictures();
    keep_name(folder, "photographs");
    keep_name(undisturbed, "photographs-undisturbed");
    put_photographs(folder);
    (void)snprintf(spec, sizeof(spec), "data.spec=imagefolder:%s", folder);
    for (size_t i = 0; i < 3; i++) {
        char parts[512];
        wsr_config *const config = config_of(photographs, spec);
        keep_name(parts, "photographs-parts");
        ck_assert_ok(wsr_config_set(config, workers[i > 0]));
        if (i < 2) {
            ck_assert_ok(wsr_train_run(
                NULL, config, i == 0 ? undisturbed : parts, false, NULL, NULL));
        } else {
            counter c = {.stop = 2};
            ck_assert_int_eq(
                wsr_train_run(NULL, config, parts, false, count, &c),
                WSR_CANCELED);
            ck_assert_ok(wsr_train_run(NULL, NULL, parts, true, NULL, NULL));
        }
        if (i > 0) {
            expect_same(undisturbed, parts, "net.safetensors");
        }
        wsr_config_free(config);
    }
}
END_TEST

START_TEST(a_broken_image_ends_a_run_with_its_name)
{
    char folder[512];
    char dir[512];
    char spec[1024];
    need_pictures();
    keep_name(folder, "broken");
    keep_name(dir, "broken-run");
    put_photographs(folder);
    const char *const path = path_in(folder, "train/cat/00.jpg");
    bytes content = get_file(path);
    content.size /= 2;
    put_file(path, &content);
    bytes_free(&content);
    (void)snprintf(spec, sizeof(spec), "data.spec=imagefolder:%s", folder);
    wsr_config *const config = config_of(photographs, spec);
    ck_assert_fails(wsr_train_run(NULL, config, dir, false, NULL, NULL),
                    WSR_FORMAT, "train/cat/00.jpg: JPEG image is truncated");
    ck_assert_ok(wsr_config_set(config, "data.broken=skip"));
    keep_name(dir, "broken-skipped");
    ck_assert_ok(wsr_train_run(NULL, config, dir, false, NULL, NULL));
    wsr_config_free(config);
}
END_TEST

// Validation and evaluation ask before every pass of the network.
START_TEST(a_run_interrupted_inside_a_step_ends_with_the_same_bytes)
{
    wsr_config *const config = config_of(tiny, NULL);
    const size_t all = whole.count.passes;
    ck_assert_uint_gt(all, STEPS + 20);
    ck_assert_double_eq_tol(whole.count.part, 1, 1e-9);
    for (size_t stop = 4; stop <= all; stop += 9) {
        char parts[512];
        keep_name(parts, "inside");
        counter c = {.stop = SIZE_MAX, .stop_inside = stop};
        ck_assert_int_eq(wsr_train_run(NULL, config, parts, false, count, &c),
                         WSR_CANCELED);
        ck_assert_uint_eq(c.passes, stop);
        ck_assert_ok(wsr_train_run(NULL, config, parts, true, NULL, NULL));
        expect_same(whole.dir, parts, "net.safetensors");
        expect_same(whole.dir, parts, "checkpoint.safetensors");
    }
    wsr_config_free(config);
}
END_TEST

START_TEST(a_process_that_dies_between_checkpoints_loses_nothing_but_time)
{
    char copy[512];
    keep_name(copy, "dead");
    wsr_config *const config = config_of(tiny, NULL);
    // What the folder holds after the first epoch, with a longer log.
    counter c = {.stop = 5};
    ck_assert_int_eq(wsr_train_run(NULL, config, copy, false, count, &c),
                     WSR_CANCELED);
    ck_assert_int_eq(rename(path_in(copy, "checkpoint.safetensors.old"),
                            path_in(copy, "checkpoint.safetensors")),
                     0);
    ck_assert_ok(wsr_train_run(NULL, NULL, copy, true, NULL, NULL));
    expect_same(whole.dir, copy, "net.safetensors");
    expect_same(whole.dir, copy, "checkpoint.safetensors");
    wsr_config_free(config);
}
END_TEST

static double robust_of(const wsr_result *result, size_t a, size_t e)
{
    return wsr_eval_get(wsr_result_eval(result), a, e, WSR_EVAL_ROBUST);
}

// The logits of an exported network are those of the network.
START_TEST(a_network_is_exported_as_onnx)
{
    enum { CLASSES = 3, PIXELS = 3 * 16 * 16 };
    static float x[PIXELS];
    float logits[2][CLASSES];
    char dir[512];
    wsr_result *result = NULL;
    wsr_net *nets[2] = {NULL};
    keep_name(dir, "onnx");
    wsr_config *const config = config_of(tiny, "train.epochs=1");
    ck_assert_ok(wsr_config_set(config, "train.export=onnx"));
    ck_assert_ok(wsr_train_run(&result, config, dir, false, NULL, NULL));
    ck_assert_ok(wsr_net_load(&nets[0], path_in(dir, "net.onnx"), NULL));
    ck_assert_ok(wsr_net_load(&nets[1], path_in(dir, "net.safetensors"), NULL));
    for (size_t i = 0; i < PIXELS; i++) {
        x[i] = (float)(i * 37 % 101) / 101;
    }
    for (size_t k = 0; k < 2; k++) {
        wsr_model *model = NULL;
        ck_assert_ok(wsr_model_from_net(&model, nets[k], 1));
        ck_assert_uint_eq(wsr_model_classes(model), CLASSES);
        ck_assert_int_eq(wsr_shape_count(wsr_model_shape(model)), PIXELS);
        ck_assert_ok(wsr_model_logits(logits[k], model, x, 1));
        ck_assert_mem_eq(logits[k], logits[0], sizeof(logits[0]));
        wsr_model_free(model);
        wsr_net_free(nets[k]);
    }
    wsr_result_free(result);
    wsr_config_free(config);
}
END_TEST

// The result is what the files say, also when a run that is done is taken up.
START_TEST(a_result_holds_network_and_evaluation)
{
    char dir[512];
    char text[64];
    wsr_result *first = NULL;
    wsr_result *again = NULL;
    wsr_net *net = NULL;
    keep_name(dir, "result");
    wsr_config *const config = config_of(tiny, "train.epochs=1");
    ck_assert_ok(wsr_config_set(config, "train.export=pth"));
    ck_assert_ok(wsr_train_run(&first, config, dir, false, NULL, NULL));
    ck_assert_ok(wsr_train_run(&again, NULL, dir, true, NULL, NULL));
    ck_assert_ok(wsr_net_load(&net, path_in(dir, "net.pth"), NULL));
    const wsr_params *const file = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(file); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(file, i));
        const wsr_params *const a = wsr_net_params(wsr_result_net(first));
        const wsr_params *const b = wsr_net_params(wsr_result_net(again));
        ck_assert_mem_eq(wsr_params_data(file, i), wsr_params_data(a, i),
                         n * sizeof(float));
        ck_assert_mem_eq(wsr_params_data(file, i), wsr_params_data(b, i),
                         n * sizeof(float));
    }
    ck_assert_str_eq(wsr_genotype_name(wsr_result_genotype(first)), "cna_r");
    ck_assert_uint_eq(wsr_eval_attacks(wsr_result_eval(first)), 2);
    bytes log = get_file(path_in(dir, "log.jsonl"));
    bytes_add(&log, "", 1);
    for (size_t k = 0; k < 4; k++) {
        ck_assert_double_eq(robust_of(first, k / 2, k % 2),
                            robust_of(again, k / 2, k % 2));
        (void)snprintf(text, sizeof(text), "\"robust_accuracy\":%.6g",
                       robust_of(first, k / 2, k % 2));
        ck_assert_ptr_nonnull(strstr((const char *)log.data, text));
    }
    bytes_free(&log);
    wsr_net_free(net);
    wsr_result_free(first);
    wsr_result_free(again);
    // There is no result of what was not trained.
    counter c = {.stop = 2};
    keep_name(dir, "no-result");
    ck_assert_int_eq(wsr_train_run(&first, config, dir, false, count, &c),
                     WSR_CANCELED);
    ck_assert_ptr_null(first);
    wsr_config_free(config);
}
END_TEST

START_TEST(a_run_that_is_done_stays_as_it_is)
{
    char dir[512];
    keep_name(dir, "done");
    counter c = {.stop = SIZE_MAX};
    ck_assert_ok(run_it(dir, "train.epochs=1"));
    bytes before = get_file(path_in(dir, "log.jsonl"));
    ck_assert_ok(wsr_train_run(NULL, NULL, dir, true, count, &c));
    bytes after = get_file(path_in(dir, "log.jsonl"));
    ck_assert_uint_eq(c.calls, 0);
    ck_assert_uint_eq(before.size, after.size);
    ck_assert_int_eq(memcmp(before.data, after.data, after.size), 0);
    bytes_free(&before);
    bytes_free(&after);
}
END_TEST

START_TEST(the_log_tells_of_epochs_steps_and_the_eval)
{
    bytes log = get_file(path_in(whole.dir, "log.jsonl"));
    static const struct {
        const char *words;
        size_t lines;
    } wanted[] = {
        {"{\"event\":\"start\",\"tool\":\"train\"", 1},
        {"{\"event\":\"step\",\"phase\":\"train\"", 6},
        {"{\"event\":\"epoch\",\"phase\":\"train\",\"epoch\":", 2},
        {"{\"event\":\"eval\",\"attack\":\"fgsm\",", 2},
        {"{\"event\":\"eval\",\"attack\":\"pgd\",", 2},
        {"{\"event\":\"summary\",\"summary\":", 4},
        {"{\"event\":\"done\",\"seconds\":", 1},
    };
    bytes_add(&log, "", 1);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        size_t n = 0;
        const char *at = (const char *)log.data;
        while ((at = strstr(at, wanted[i].words)) != NULL) {
            n++;
            at++;
        }
        ck_assert_msg(n == wanted[i].lines, "%zu lines %s", n, wanted[i].words);
    }
    bytes_free(&log);
}
END_TEST

START_TEST(the_network_file_is_the_one_that_was_best)
{
    wsr_net *net = NULL;
    wsr__st *st = NULL;
    float best[64];
    ck_assert_ok(
        wsr_net_load(&net, path_in(whole.dir, "net.safetensors"), NULL));
    ck_assert_str_eq(wsr_genotype_name(wsr_net_genotype(net)), "cna_r");
    ck_assert_ok(wsr__checkpoint_load(
        &st, path_in(whole.dir, "checkpoint.safetensors")));
    const wsr__st_tensor *t = NULL;
    ck_assert_ok(wsr__st_need(&t, st, "train.best"));
    memcpy(best, t->data, sizeof(best));
    ck_assert_mem_eq(best, wsr_params_data(wsr_net_params(net), 0),
                     sizeof(best));
    wsr__st_free(st);
    wsr_net_free(net);
}
END_TEST

START_TEST(mistakes_in_the_configuration_are_found_before_anything_is_written)
{
    char dir[512];
    static const struct {
        const char *assignment;
        wsr_status status;
        const char *words;
    } cases[] = {
        {"train.epoch=3", WSR_CONFIG, "train.epochs"},
        {"train.batch=0", WSR_CONFIG, "train.batch"},
        {"trian.batch=3", WSR_CONFIG, "trian.batch"},
        {"seed=-1", WSR_CONFIG, "seed"},
        {"train.keep=first", WSR_CONFIG, "train.keep"},
    };
    keep_name(dir, "mistakes");
    ck_assert_int_eq(rmdir(dir), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_fails(run_it(dir, cases[i].assignment), cases[i].status,
                        cases[i].words);
        ck_assert(!wsr__file_exists(dir));
    }
}
END_TEST

START_TEST(what_does_not_exist_or_fit_is_named)
{
    char dir[512];
    static const struct {
        const char *assignment;
        wsr_status status;
        const char *words;
    } cases[] = {
        {"train.trainer=madri", WSR_NOTFOUND, "madry"},
        {"train.trainer=madry:step=7", WSR_CONFIG, "step"},
        {"train.trainer=madry:eps=2", WSR_CONFIG, "eps"},
        {"train.optimizer=sgd:momentun=1", WSR_CONFIG, "momentun"},
        {"train.schedule=cosin", WSR_NOTFOUND, "cosine"},
        {"train.augment=[flipp]", WSR_NOTFOUND, "flip"},
        {"train.augment=[pad:pixels=3]", WSR_SHAPE, "(3, 22, 22)"},
        {"train.eval_attack=pdg", WSR_NOTFOUND, "pgd"},
        {"eval.attack=pdg", WSR_NOTFOUND, "pgd"},
        {"net.genotype=cna_q", WSR_NOTFOUND, "cna_q"},
        {"net.genotype=", WSR_CONFIG, "net.genotype"},
        {"data.spec=cifar10:/no/such/folder", WSR_NOTFOUND, "/no/such/folder"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        keep_name(dir, "misfits");
        ck_assert_fails(run_it(dir, cases[i].assignment), cases[i].status,
                        cases[i].words);
        ck_assert(!wsr__file_exists(path_in(dir, "config.yaml")));
    }
}
END_TEST

// The hook counts steps: a run that was refused in time has made none.
START_TEST(what_a_later_stage_would_refuse_is_refused_before_the_first_step)
{
    char dir[512];
    static const struct {
        const char *assignment;
        wsr_status status;
        const char *words;
    } cases[] = {
        {"train.eval_attack=apgd_dlr", WSR_ARG, "needs 3 classes"},
        {"train.eval_attack=fgsm,pgd", WSR_CONFIG, "names 2 attacks"},
        {"eval.attack=pgd,apgd_dlr", WSR_ARG, "needs 3 classes"},
        {"data.spec=synthetic:size=16,count=44,classes=1", WSR_CONFIG,
         "classes"},
        {"data.size=4096", WSR_NOMEM, "plans for 16 images"},
    };
    keep_name(dir, "late");
    ck_assert_int_eq(rmdir(dir), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        counter c = {.stop = SIZE_MAX};
        wsr_config *const config = config_of(tiny, "train.eval_every=1");
        ck_assert_ok(wsr_config_set(
            config, "data.spec=synthetic:size=16,count=44,classes=2"));
        ck_assert_ok(wsr_config_set(config, cases[i].assignment));
        ck_assert_fails(wsr_train_run(NULL, config, dir, false, count, &c),
                        cases[i].status, cases[i].words);
        ck_assert_uint_eq(c.calls, 0);
        ck_assert(!wsr__file_exists(dir));
        wsr_config_free(config);
    }
}
END_TEST

// Test images that do not fit: an IDX file of another size.
static void write_idx(const char *images, const char *labels, size_t side)
{
    bytes b = {0};
    const unsigned char head[] = {0, 0, 8, 3, 0, 0, 0, 20,
                                  0, 0, 0, 0, 0, 0, 0, 0};
    bytes_add(&b, head, sizeof(head));
    b.data[11] = b.data[15] = (unsigned char)side;
    for (size_t i = 0; i < 20 * side * side; i++) {
        bytes_add(&b, &head[i % 4], 1);
    }
    put_file(images, &b);
    bytes_free(&b);
    const unsigned char other[] = {0, 0, 8, 1, 0, 0, 0, 20};
    bytes_add(&b, other, sizeof(other));
    for (unsigned char i = 0; i < 20; i++) {
        const unsigned char label = i % 3;
        bytes_add(&b, &label, 1);
    }
    put_file(labels, &b);
    bytes_free(&b);
}

START_TEST(test_images_of_another_size_are_refused_before_the_first_step)
{
    char dir[512];
    char folder[512];
    char spec[3000];
    keep_name(dir, "sizes-run");
    keep_name(folder, "sizes");
    ck_assert_int_eq(rmdir(dir), 0);
    write_idx(path_in(folder, "a-im"), path_in(folder, "a-lb"), 16);
    write_idx(path_in(folder, "b-im"), path_in(folder, "b-lb"), 12);
    (void)snprintf(spec, sizeof(spec),
                   "data.spec=idx:%s/a-im,%s/a-lb,%s/b-im,%s/b-lb", folder,
                   folder, folder, folder);
    counter c = {.stop = SIZE_MAX};
    wsr_config *const config = config_of(tiny, spec);
    ck_assert_fails(wsr_train_run(NULL, config, dir, false, count, &c),
                    WSR_SHAPE, "12, 12");
    ck_assert_uint_eq(c.calls, 0);
    ck_assert(!wsr__file_exists(dir));
    wsr_config_free(config);
}
END_TEST

START_TEST(a_resumed_run_does_not_change_its_configuration)
{
    char dir[512];
    counter c = {.stop = 1};
    keep_name(dir, "changed");
    wsr_config *config = config_of(tiny, NULL);
    ck_assert_int_eq(wsr_train_run(NULL, config, dir, false, count, &c),
                     WSR_CANCELED);
    wsr_config_free(config);
    config = config_of("train: {lr: 0.5}\n", NULL);
    ck_assert_fails(wsr_train_run(NULL, config, dir, true, NULL, NULL),
                    WSR_CONFIG, "train.lr: 0.5 is not 0.05");
    wsr_config_free(config);
    config = config_of("train: {lrr: 0.5}\n", NULL);
    ck_assert_fails(wsr_train_run(NULL, config, dir, true, NULL, NULL),
                    WSR_CONFIG, "train.lrr: 0.5 is not absent");
    wsr_config_free(config);
}
END_TEST

START_TEST(a_run_keeps_the_codes_that_its_network_is_made_of)
{
    char dir[512];
    char coded[512];
    static const char codes[] =
        "share: true\n"
        "codes:\n"
        "  - [01, 10, 11, 00, 01, 10, 11, 00, 01, 10, 11, 00, 01, 10]\n";
    char mine[512];
    keep_name(dir, "coded");
    keep_name(coded, "coded-whole");
    char assignment[1200];
    (void)snprintf(mine, sizeof(mine), "%.480s.yaml", dir);
    (void)snprintf(assignment, sizeof(assignment), "net.codes=%s", mine);
    wsr_config *const config = config_of(tiny, assignment);
    ck_assert_ok(wsr__file_write(mine, codes, strlen(codes)));
    ck_assert_ok(wsr_train_run(NULL, config, coded, false, NULL, NULL));
    counter c = {.stop = 2};
    ck_assert_int_eq(wsr_train_run(NULL, config, dir, false, count, &c),
                     WSR_CANCELED);
    ck_assert_int_eq(remove(mine), 0);
    // The configuration may be given again, with the genotype that the codes
    // replace.
    ck_assert_ok(wsr_train_run(NULL, config, dir, true, NULL, NULL));
    expect_same(coded, dir, "net.safetensors");
    wsr_config_free(config);
}
END_TEST

static bool stop(const wsr_progress *progress, void *user)
{
    (void)progress;
    (void)user;
    return false;
}

START_TEST(the_cost_is_told_without_a_run)
{
    wsr_cost cost;
    wsr_config *config = config_of(tiny, "train.epochs=1000");
    ck_assert_ok(wsr_train_cost(&cost, config, NULL, NULL));
    ck_assert_uint_eq(cost.stages, 2);
    ck_assert_str_eq(cost.stage[0], "train");
    ck_assert_str_eq(cost.stage[1], "eval");
    ck_assert_double_gt(cost.stage_seconds[1], 0);
    ck_assert_double_eq_tol(
        cost.seconds, cost.stage_seconds[0] + cost.stage_seconds[1], 1e-9);
    ck_assert_double_gt(cost.memory_bytes, 0);
    ck_assert_double_gt(cost.disk_bytes, 0);
    const double seconds = cost.stage_seconds[0];
    wsr_config_free(config);
    // Forty times the steps take about that much longer, on whatever machine.
    config = config_of(tiny, "train.epochs=40000");
    ck_assert_ok(wsr_train_cost(&cost, config, NULL, NULL));
    ck_assert_double_gt(cost.stage_seconds[0], 4 * seconds);
    ck_assert_int_eq(wsr_train_cost(&cost, config, stop, NULL), WSR_CANCELED);
    wsr_config_free(config);
    // A stage shorter than the timing is done to its end.
    config = config_of(tiny, NULL);
    ck_assert_ok(wsr_train_cost(&cost, config, NULL, NULL));
    ck_assert_double_gt(cost.stage_seconds[0], 0);
    ck_assert_double_lt(cost.stage_seconds[0], seconds);
    wsr_config_free(config);
    config = config_of(tiny, "train.trainer=no");
    ck_assert_fails(wsr_train_cost(&cost, config, NULL, NULL), WSR_NOTFOUND,
                    "there is no 'no'");
    wsr_config_free(config);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_refused)
{
    char dir[512];
    counter c = {.stop = 1};
    keep_name(dir, "damaged");
    wsr_config *config = config_of(tiny, NULL);
    ck_assert_int_eq(wsr_train_run(NULL, config, dir, false, count, &c),
                     WSR_CANCELED);
    wsr_config_free(config);
    bytes content = get_file(path_in(dir, "checkpoint.safetensors"));
    content.data[content.size - 1] ^= 1;
    put_file(path_in(dir, "checkpoint.safetensors"), &content);
    bytes_free(&content);
    ck_assert_fails(wsr_train_run(NULL, NULL, dir, true, NULL, NULL),
                    WSR_FORMAT, "checkpoint.safetensors");
}
END_TEST

START_TEST(without_a_folder_the_configuration_is_checked)
{
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_fails(wsr_train_run(NULL, config, NULL, false, NULL, NULL),
                    WSR_ARG, "dir: ");
    ck_assert_ok(wsr_config_set(config, "train.epohcs=3"));
    ck_assert_fails(wsr_train_run(NULL, config, NULL, false, NULL, NULL),
                    WSR_CONFIG, "did you mean 'train.epochs'");
    wsr_config_free(config);
}
END_TEST

START_TEST(help_lists_the_options_of_all_sections)
{
    char *text = NULL;
    ck_assert_ok(wsr_train_help(&text, NULL));
    ck_assert_ptr_nonnull(strstr(text, "train.trainer"));
    ck_assert_ptr_nonnull(strstr(text, "eval.eps"));
    ck_assert_ptr_nonnull(strstr(text, "data.spec"));
    ck_assert_ptr_nonnull(strstr(text, "net.channels"));
    ck_assert_ptr_nonnull(strstr(text, "seed"));
    wsr_text_free(text);
    ck_assert_ok(wsr_train_help(&text, "optim:sgd"));
    ck_assert_ptr_nonnull(strstr(text, "momentum="));
    wsr_text_free(text);
    ck_assert_fails(wsr_train_help(&text, "optim:sdg"), WSR_NOTFOUND,
                    "did you mean 'optim:sgd'");
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(every_preset_decodes)
{
    char *names = NULL;
    ck_assert_ok(wsr_config_presets(&names, "train"));
    for (const char *at = names; *at != '\0';) {
        const size_t n = strcspn(at, "\n");
        char name[64];
        wsr_config *config = NULL;
        char dir[512];
        (void)snprintf(name, sizeof(name), "%.*s", (int)n, at);
        ck_assert_ok(wsr_config_new(&config));
        ck_assert_ok(wsr_config_load_preset(config, "train", name));
        // The data are the last thing that may be missing.
        ck_assert_ok(wsr_config_set(config, "data.spec=idx:/no,/no"));
        keep_name(dir, "preset");
        ck_assert_fails(wsr_train_run(NULL, config, dir, false, NULL, NULL),
                        WSR_NOTFOUND, "data.spec must name the images: ");
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "/no"));
        wsr_config_free(config);
        at += n + (at[n] == '\n');
    }
    wsr_text_free(names);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        training_on_files_ends_with_the_same_bytes_whatever_reads_them,
        a_broken_image_ends_a_run_with_its_name,
        a_run_interrupted_inside_a_step_ends_with_the_same_bytes,
        a_run_interrupted_anywhere_ends_with_the_same_bytes,
        a_process_that_dies_between_checkpoints_loses_nothing_but_time,
        a_network_is_exported_as_onnx,
        a_result_holds_network_and_evaluation,
        a_run_that_is_done_stays_as_it_is,
        the_log_tells_of_epochs_steps_and_the_eval,
        the_network_file_is_the_one_that_was_best,
        mistakes_in_the_configuration_are_found_before_anything_is_written,
        what_does_not_exist_or_fit_is_named,
        what_a_later_stage_would_refuse_is_refused_before_the_first_step,
        test_images_of_another_size_are_refused_before_the_first_step,
        a_resumed_run_does_not_change_its_configuration,
        a_run_keeps_the_codes_that_its_network_is_made_of,
        the_cost_is_told_without_a_run,
        a_damaged_checkpoint_is_refused,
        without_a_folder_the_configuration_is_checked,
        help_lists_the_options_of_all_sections,
        every_preset_decodes,
        NULL};
    return suite_with("run", tests, run_whole);
}
