// SPDX-License-Identifier: Apache-2.0
//
// One step of each trainer against the authors' trainers under PyTorch: the
// same network, batch and noise must give the same attacked images, logits,
// loss, gradients, norm, and parameters after the step of the optimiser. The
// numbers of a run come from the file, so that a file with others is compared
// with those. Prints what it measures.

#include "golden_support.h"
#include "net/net.h"
#include "train/paired.h"
#include "train/train.h"

#define LOGITS_TOL 2e-5 // absolute
#define LOSS_TOL 1e-5   // relative where the loss is above 1
// Absolute, relative where the tensor is above 1; or what rounding does to
// gradients, says the file, where that is more.
#define AFTER_TOL 1e-5
#define PIXEL_TOL 1e-6

enum { MOST_NUMBERS = 8, SPEC = 1024, ARRAYS = 7 };

typedef struct step_case {
    const char *file;
    // The trainer and its options; "%s" stand for numbers of the file.
    const char *spec;
    const char *numbers[MOST_NUMBERS];
    const char *prefix; // of the names of the network's tensors
    size_t attacked;    // the update whose images are attacked, in a file with
                        // a second network, "base."
    bool scaled;        // perturbations are divided by the data's deviation
    bool second;        // the logits are those of the second training plan
} step_case;

static const step_case cases[] = {
    {.file = "step_standard", .spec = "natural"},
    {.file = "step_standard_teacher", .spec = "natural"},
    {.file = "step_fgsm", .spec = "fgsm:eps=%s", .numbers = {"fgsm_step"}},
    {.file = "step_pgd",
     .spec = "madry:mode=train_moving,start=none,box_at_use=true,eps=%s,"
             "alpha=%s,steps=%s",
     .numbers = {"clip_eps", "fgsm_step", "n_repeats"}},
    {.file = "step_retrain_pgd",
     .spec = "madry:clean_pass=true,clip_start=false,eps=%s,steps=%s",
     .numbers = {"epsilon", "num_steps"}},
    {.file = "step_fast_at",
     .spec = "fast:box_at_use=true,eps=%s,alpha=%s",
     .numbers = {"clip_eps", "clip_eps"}},
    {.file = "step_fast_orig",
     .spec = "fast:eps=%s,alpha=%s",
     .numbers = {"epsilon", "alpha"}},
    {.file = "step_free_at",
     .spec = "free:eps=%s,alpha=%s,repeats=%s",
     .numbers = {"clip_eps", "fgsm_step", "n_repeats"}},
    {.file = "step_free_orig",
     .spec = "free:box=after,eps=%s,repeats=%s",
     .numbers = {"epsilon", "n_repeats"},
     .scaled = true},
    {.file = "step_trades",
     .spec = "trades:eps=%s,alpha=%s,steps=%s,beta=%s",
     .numbers = {"clip_eps", "fgsm_step", "n_repeats", "beta"},
     .second = true},
    {.file = "step_trades_orig_linf",
     .spec = "trades:second_clean_pass=true,eps=%s,alpha=%s,steps=%s,beta=%s",
     .numbers = {"epsilon", "step_size", "perturb_steps", "beta"}},
    {.file = "step_trades_orig_l2",
     .spec = "trades:norm=l2,second_clean_pass=true,eps=%s,steps=%s,beta=%s",
     .numbers = {"epsilon", "perturb_steps", "beta"}},
    {.file = "step_fat",
     .spec = "fat:dynamic_tau=false,eps=%s,alpha=%s,steps=%s,tau=%s,omega=%s",
     .numbers = {"clip_eps", "fgsm_step", "n_repeats", "tau", "omega"}},
    {.file = "step_pgd_constraint",
     .spec = "constraint:base=%s,fidelity=released,eps=%s,alpha=%s,steps=%s",
     .numbers = {"base", "clip_eps", "fgsm_step", "n_repeats"},
     .prefix = "weak.",
     .attacked = 0},
    {.file = "step_std_const_adv",
     .spec = "std_const:base=%s,eps=%s,alpha=%s,steps=%s,lambda=%s,rho=%s",
     .numbers = {"base", "clip_eps", "fgsm_step", "n_repeats", "lambda_before",
                 "rho"},
     .prefix = "weak.",
     .attacked = 1},
};

// --------------------------------------------------------------- the numbers

// The text of a number in the metadata "hyper", NULL when it is not there.
static const char *number_text(char out[64], const wsr__st *st, const char *key)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
    const char *const at = strstr(wsr__st_metadata(st, "hyper"), quoted);
    if (at == NULL) {
        return NULL;
    }
    const char *const value = at + strlen(quoted);
    (void)snprintf(out, 64, "%.*s", (int)strcspn(value, ",}"), value);
    return out;
}

static double number(const wsr__st *st, const char *key, double fallback)
{
    char text[64];
    return number_text(text, st, key) == NULL ? fallback : strtod(text, NULL);
}

static void base_path(char out[512])
{
    (void)snprintf(out, 512, "%s/base.safetensors", scratch_folder("base"));
}

// A number of the file, or the path of the base network.
static void fill_in(char text[512], const char *key, const wsr__st *st)
{
    if (wsr__streq(key, "base")) {
        base_path(text);
    } else {
        ck_assert_ptr_nonnull(number_text(text, st, key));
    }
}

static void spec_of(char out[SPEC], const step_case *c, const wsr__st *st)
{
    size_t n = 0;
    size_t used = 0;
    for (const char *at = c->spec; *at != '\0'; at++) {
        char text[512] = {*at, '\0'};
        if (*at == '%') {
            fill_in(text, c->numbers[n++], st);
            at++;
        }
        used += (size_t)snprintf(out + used, SPEC - used, "%s", text);
        ck_assert_uint_lt(used, SPEC);
    }
}

// ---------------------------------------------------------------- the bench

typedef struct bench {
    const step_case *of;
    wsr__st *st;
    wsr_net *net;
    wsr_graph *graphs[2]; // for training, for attacks
    wsr_plan *plans[3];   // the two for training, for attacks
    wsr__attack_plans attack;
    const wsr__trainer_class *trainer;
    void *options;
    void *own;
    wsr_optim *optim;
    // x, x_adv, logits, state, start_noise, step_noise, teacher_logits
    float *arrays[ARRAYS];
    int32_t *labels;
    int32_t *adv_labels;
    wsr__train_step step;
    size_t floats; // of the images
    bool several;  // updates
} bench;

static float *optional(const wsr__st *st, const char *name)
{
    const wsr__st_tensor *const t = wsr__st_find(st, name);
    return t == NULL ? NULL : golden_read(st, name, t->count);
}

// A network of the file with the parameters whose names begin with a prefix.
static wsr_net *make_net(const wsr__st *st, const char *prefix)
{
    char options[512];
    char name[32];
    wsr_net *net = NULL;
    wsr_genotype *genotype = NULL;
    const char *const mean = wsr__st_metadata(st, "data_mean");
    (void)snprintf(options, sizeof(options),
                   "channels=%s,layers=%s,classes=%s%s%s%s%s",
                   wsr__st_metadata(st, "C"), wsr__st_metadata(st, "layers"),
                   wsr__st_metadata(st, "num_classes"),
                   mean == NULL ? "" : ",mean=", mean == NULL ? "" : mean,
                   mean == NULL ? "" : ",std=",
                   mean == NULL ? "" : wsr__st_metadata(st, "data_std"));
    ck_assert_ok(
        wsr_genotype_load(&genotype, wsr__st_metadata(st, "genotype_name")));
    ck_assert_ok(wsr_net_new(&net, genotype, options, 1));
    (void)snprintf(name, sizeof(name), "state.%s", prefix);
    ck_assert_ok(wsr__st_read_params(wsr_net_params(net), st, name));
    wsr_genotype_free(genotype);
    return net;
}

static const char *prefix_of(const step_case *c)
{
    return c->prefix == NULL ? "" : c->prefix;
}

static void write_base(const wsr__st *st)
{
    char path[512];
    wsr_net *const base = make_net(st, "base.");
    base_path(path);
    ck_assert_ok(wsr_net_save(base, path));
    wsr_net_free(base);
}

// Attacks run on the reference kernels. Where a relu or a maximum hangs on the
// last bit, an image takes another way, and other kernels sum in another order
// than PyTorch: they change an image of step_trades.
static void open_plans(bench *b, size_t n)
{
    const unsigned purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS |
                             b->trainer->purposes;
    ck_assert_ok(wsr_net_graph(&b->graphs[0], b->net, true));
    ck_assert_ok(wsr_net_graph(&b->graphs[1], b->net, false));
    ck_assert_ok(wsr_plan_new(&b->plans[0], b->graphs[0], n, purpose));
    if (b->trainer->two_passes) {
        ck_assert_ok(wsr_plan_new(&b->plans[1], b->graphs[0], n, purpose));
    }
    if (b->trainer->attack != NULL) {
        ck_assert_ok(
            wsr_plan_new(&b->plans[2], b->graphs[1], n,
                         b->trainer->attack(b->options) | WSR_REFERENCE));
    }
}

// Room and noise.
static void open_arrays(bench *b, size_t n)
{
    int64_t *const labels = wsr__alloc(n, sizeof(*labels));
    b->labels = wsr__alloc(n, sizeof(*b->labels));
    b->adv_labels = wsr__alloc(n, sizeof(*b->adv_labels));
    ck_assert_ok(wsr__st_read_i64(labels, b->st, "labels", n));
    for (size_t i = 0; i < n; i++) {
        b->labels[i] = (int32_t)labels[i];
    }
    wsr__free(labels);
    ck_assert_uint_gt(n, 0);
    const size_t pixels = b->floats / (n > 0 ? n : 1);
    b->arrays[0] = golden_read(b->st, "input", b->floats);
    b->arrays[1] = wsr__alloc(b->floats, sizeof(float));
    b->arrays[2] = wsr__alloc(n * wsr_net_classes(b->net), sizeof(float));
    b->arrays[3] = optional(b->st, "delta_before");
    if (b->trainer->open != NULL) {
        const wsr__training_of of = {b->net, NULL, NULL, 1};
        ck_assert_ok(b->trainer->open(&b->own, b->options, &of, n));
        b->arrays[3] = wsr__alloc(
            b->trainer->state(b->options, b->own, n, pixels), sizeof(float));
    }
    b->arrays[4] = optional(b->st, "start_noise");
    b->arrays[5] = optional(b->st, "omega_noise");
    b->arrays[6] = optional(b->st, "teacher_logits");
}

static void open_bench(bench *b, const step_case *c)
{
    char text[SPEC];
    const wsr__class *cls = NULL;
    *b = (bench){.of = c, .st = golden_open(c->file)};
    const wsr__st_tensor *const input = wsr__st_find(b->st, "input");
    const size_t n = (size_t)input->dims[0];
    b->floats = input->count;
    b->several = wsr__st_find(b->st, "step0.loss") != NULL;
    spec_of(text, c, b->st);
    if (c->prefix != NULL) {
        write_base(b->st);
    }
    printf("%s: %s\n", c->file, text);
    ck_assert_ok(wsr__class_spec(&cls, &b->options, &wsr__trainers, text));
    b->trainer = (const wsr__trainer_class *)(const void *)cls;
    b->net = make_net(b->st, prefix_of(c));
    open_plans(b, n);
    open_arrays(b, n);
    (void)snprintf(text, sizeof(text), "sgd:momentum=%.17g,weight_decay=%.17g",
                   number(b->st, "momentum", 0),
                   number(b->st, "weight_decay", 0));
    ck_assert_ok(wsr_optim_new(&b->optim, wsr_net_params(b->net), text));
    b->attack = (wsr__attack_plans){.n = n, .batch = b->plans[2]};
    b->step = (wsr__train_step){
        .plan = b->plans[0],
        .second = b->plans[1],
        .attack = b->plans[2] == NULL ? NULL : &b->attack,
        .net = b->net,
        .x = b->arrays[0],
        .labels = b->labels,
        .x_adv = b->arrays[1],
        .logits = b->arrays[2],
        .state = b->arrays[3],
        .own = b->own,
        .adv_labels = b->adv_labels,
        .start_noise = b->arrays[4],
        .step_noise = b->arrays[5],
        .distill = {b->arrays[6], number(b->st, "T", 1), 1, true},
        .n = n,
        .classes = wsr_net_classes(b->net),
        .epoch = (uint64_t)number(b->st, "epoch_counter", 0),
        .smoothing = number(b->st, "label_smoothing", 0)};
}

static void close_bench(bench *b)
{
    for (size_t i = 0; i < 3; i++) {
        wsr_plan_free(b->plans[i]);
    }
    for (size_t i = 0; i < ARRAYS; i++) {
        wsr__free(b->arrays[i]);
    }
    wsr__free(b->labels);
    wsr__free(b->adv_labels);
    wsr_optim_free(b->optim);
    if (b->own != NULL) {
        b->trainer->close(b->own);
    }
    wsr__free(b->options);
    wsr_graph_free(b->graphs[0]);
    wsr_graph_free(b->graphs[1]);
    wsr_net_free(b->net);
    wsr__st_free(b->st);
}

// --------------------------------------------------------------- comparisons

// "step2.loss", or "loss" in a file with one step.
static const char *key_of(char out[192], const bench *b, const char *name)
{
    if (b->several) {
        (void)snprintf(out, 192, "step%zu.%.160s", b->step.update, name);
    } else {
        (void)snprintf(out, 192, "%.160s", name);
    }
    return out;
}

// Whether value i of an array, whose values are those of the file divided by
// the deviation of the data and, if they are images, moved by its mean,
// differs.
static bool differs(const bench *b, size_t i, float value, float want,
                    bool images)
{
    const wsr__normalize *const p = &b->net->options->normalize;
    const int64_t channel = (int64_t)(i / (32 * 32) % 3);
    const double std = (double)wsr__normalize_std(p, channel);
    const double mean = images ? (double)wsr__normalize_mean(p, channel) : 0;
    return fabs((double)value - ((double)want * std + mean)) > PIXEL_TOL;
}

// PyTorch's own pixels under changes of the size of rounding say how many may
// differ.
static void allow(const bench *b, const char *key, size_t changed, size_t n)
{
    const double share =
        strtod(wsr__st_metadata(b->st, "adv_pixels_changed_by_rounding"), NULL);
    printf("%-40s %zu of %zu pixels differ\n", key, changed, n);
    ck_assert_double_le((double)changed, 2 * share * (double)n);
}

// The code of Fast-AT's authors has no images in [0, 1], but what the network
// gets.
static void compare_images(const bench *b)
{
    char key[192];
    const bool plain = b->own != NULL;
    const bool direct = plain ||
                        wsr__st_find(b->st, key_of(key, b, "adv")) != NULL;
    size_t changed = 0;
    if (plain) {
        (void)snprintf(key, sizeof(key), "adv");
    }
    if ((b->step.attack == NULL && b->step.state == NULL) ||
        (plain && b->step.update != b->of->attacked)) {
        return;
    }
    float *const want = golden_read(
        b->st, plain ? key : key_of(key, b, direct ? "adv" : "net_input"),
        b->floats);
    for (size_t i = 0; i < b->floats; i++) {
        const float x = b->step.x_adv[i];
        changed += direct ? fabs((double)(x - want[i])) > PIXEL_TOL
                          : differs(b, i, x, want[i], true);
    }
    allow(b, key, changed, b->floats);
    wsr__free(want);
}

static void compare_state(const bench *b)
{
    char key[192];
    const size_t n = wsr__st_find(b->st, "delta_before")->count;
    float *const want = golden_read(b->st, key_of(key, b, "delta_after"), n);
    size_t changed = 0;
    for (size_t i = 0; i < n; i++) {
        const float d = b->step.state[i];
        changed += b->of->scaled ? differs(b, i, d, want[i], false)
                                 : fabs((double)(d - want[i])) > PIXEL_TOL;
    }
    allow(b, key, changed, n);
    wsr__free(want);
}

static double tolerance(double value, double tol)
{
    return tol * fmax(1, fabs(value));
}

static void compare_value(const bench *b, const char *name, double value)
{
    char key[192];
    if (wsr__st_find(b->st, key_of(key, b, name)) == NULL) {
        return;
    }
    const double want = (double)golden_scalar(b->st, key);
    printf("%-40s %.9g, difference %.2g\n", key, want, fabs(value - want));
    ck_assert_double_le(fabs(value - want), tolerance(want, LOSS_TOL));
}

static double largest(const float *a, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)a[i]));
    }
    return most;
}

static void compare_after(const bench *b, const wsr_net *net,
                          const char *prefix)
{
    const wsr_params *const params = wsr_net_params(net);
    const double tol = fmax(
        AFTER_TOL,
        strtod(wsr__st_metadata(b->st, "gradient_stability_rel_l2_max"), NULL));
    double most = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[160];
        char key[192];
        const wsr__param *const p = wsr__params_at(params, i);
        const size_t n = (size_t)p->count;
        (void)snprintf(name, sizeof(name), "after.%s%s", prefix, p->name);
        if (p->integer) {
            int64_t want = 0;
            ck_assert_ok(
                wsr__st_read_i64(&want, b->st, key_of(key, b, name), 1));
            ck_assert_msg((int64_t)p->data[0] == want, "%s: %g, not %lld", key,
                          (double)p->data[0], (long long)want);
            continue;
        }
        float *const want = golden_read(b->st, key_of(key, b, name), n);
        const double d = golden_difference(p->data, want, n) /
                         fmax(1, largest(want, n));
        ck_assert_msg(d <= tol, "%s: differs by %g", key, d);
        most = fmax(most, d);
        wsr__free(want);
    }
    printf("after.%s*: largest difference %.2g\n", prefix, most);
}

static void compare_step(bench *b)
{
    char key[192];
    double norm = 0;
    const double clip = number(b->st, "grad_clip", HUGE_VAL);
    // The update whose loss is the square of the constraint: its last pass is
    // the base's.
    const bool keeps = b->trainer->keeps_gradients != NULL &&
                       b->trainer->keeps_gradients(b->options);
    const bool square = keeps && b->step.update == 1;
    wsr_plan *const last = square ? ((wsr__paired *)b->own)->plans[0]
                                  : b->plans[b->of->second];
    wsr_params *const params = wsr_net_params(b->net);
    if (b->step.update == 0 || !keeps) {
        wsr_params_zero_grad(params, true);
    }
    ck_assert_ok(b->trainer->batch(&b->step, b->options));
    ck_assert(!b->step.skip);
    compare_images(b);
    const size_t logits = b->step.n * b->step.classes;
    float *const want = golden_read(b->st, key_of(key, b, "logits"), logits);
    const double off =
        golden_difference(wsr_plan_dst(last, "logits"), want, logits);
    printf("%-40s largest difference %.2g\n", key, off);
    ck_assert_double_le(off, tolerance(largest(want, logits), LOGITS_TOL));
    wsr__free(want);
    compare_value(b, "loss",
                  square ? b->step.constraint * b->step.constraint
                         : b->step.loss);
    char name[64];
    (void)snprintf(name, sizeof(name), "grad.%s", prefix_of(b->of));
    ck_assert_uint_gt(golden_gradients(params, b->st, key_of(key, b, name)), 0);
    ck_assert_ok(wsr_optim_clip(&norm, b->optim, clip));
    compare_value(b, "clip_norm", norm);
    ck_assert_ok(wsr_optim_step(b->optim, number(b->st, "lr", 0)));
    compare_after(b, b->net, prefix_of(b->of));
    if (b->own != NULL) {
        compare_after(b, ((const wsr__paired *)b->own)->net, "base.");
    }
}

// The multiplier of the next epoch shows in its loss: the images are the same,
// the constraint is another.
static void compare_multiplier(bench *b)
{
    const double rho = number(b->st, "rho", 0);
    const double want = (double)golden_scalar(b->st, "lambda_after");
    golden_near(&(float){(float)b->step.constraint}, b->st, "constraint", 1,
                LOSS_TOL);
    b->step.update = 0;
    b->step.epoch++;
    ck_assert_ok(b->trainer->batch(&b->step, b->options));
    const double c = b->step.constraint;
    const double square = rho / 2 * fmax(c, 0) * fmax(c, 0);
    const double lambda = (b->step.loss - square) / c;
    printf("lambda_after %.9g, difference %.2g\n", want, fabs(lambda - want));
    ck_assert_double_le(fabs(lambda - want), LOSS_TOL);
}

START_TEST(a_step_is_that_of_the_authors)
{
    bench b;
    open_bench(&b, &cases[_i]);
    const size_t updates =
        b.trainer->updates != NULL ? b.trainer->updates(b.options) : 1;
    for (; b.step.update < updates; b.step.update++) {
        compare_step(&b);
        if (b.step.state != NULL && b.own == NULL) {
            compare_state(&b);
        }
    }
    if (wsr__st_find(b.st, "lambda_after") != NULL) {
        compare_multiplier(&b);
    }
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_of("golden steps", (const TTest *const[]){NULL});
    TCase *const loop = tcase_create("steps");
    tcase_set_timeout(loop, 120);
    tcase_add_loop_test(loop, a_step_is_that_of_the_authors, 0,
                        (int)(sizeof(cases) / sizeof(cases[0])));
    suite_add_tcase(s, loop);
    return s;
}
