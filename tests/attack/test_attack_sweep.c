// SPDX-License-Identifier: Apache-2.0
//
// What every registered attack must do, whatever its method: stay inside ball
// and pixel range exactly, return the input at strength 0, give the same
// result at any batch size and number of threads, leave the model alone, count
// a target only when it is reached.

#include "attack/engine/part.h"
#include "attack/model_support.h"
#include "attack/toy_estimator.h"
#include "attack/toy_surrogate.h"

enum { N = 16, MOST = 600 };

static float x[N * TOY_D];
static int32_t labels[N];
static toy model_of;

// Options that make an attack quick; the others are quick as they are.
static const char *const quick[] = {"apgd_ce",    "steps=12",
                                    "apgd_dlr",   "steps=12",
                                    "apgd_t",     "steps=8",
                                    "autoattack", "steps=5,queries=10",
                                    "cw",         "steps=30,search=4,c=0.1",
                                    "ead",        "steps=30,search=4,c=0.1",
                                    "fab",        "steps=10,restarts=2",
                                    "fab_t",      "steps=10",
                                    "spsa",       "steps=4,samples=30",
                                    "square",     "queries=60",
                                    "chain",      "attacks=[fgsm,pgd:steps=5]",
                                    NULL};

typedef struct member {
    char spec[MOST];
    const wsr__attack_class *cls;
    wsr__lp norm;
} member;

static void spec_of(char out[MOST], const wsr__attack_class *cls, wsr__lp norm)
{
    const char *options = "";
    for (size_t i = 0; quick[i] != NULL; i += 2) {
        if (strcmp(quick[i], cls->super.name) == 0) {
            options = quick[i + 1];
        }
    }
    char file[500];
    if (strcmp(cls->super.name, "estimator") == 0) {
        (void)snprintf(file, sizeof(file), "net=%s,sources=[0.02,0.05]",
                       toy_estimator_file());
        options = file;
    }
    if (strcmp(cls->super.name, "transfer") == 0) {
        (void)snprintf(file, sizeof(file),
                       "net=%s,attack=[apgd_ce:steps=4,norm=%s]",
                       toy_surrogate_file(), wsr__lp_names[norm]);
        options = file;
    }
    const bool chosen = cls->norm != NULL &&
                        strcmp(cls->super.name, "chain") != 0 &&
                        strcmp(cls->super.name, "transfer") != 0;
    (void)snprintf(out, MOST, "%s:%s%s%s%s", cls->super.name, options,
                   chosen && options[0] != '\0' ? "," : "",
                   chosen ? "norm=" : "", chosen ? wsr__lp_names[norm] : "");
}

// The attacks in all of their norms; false after the last.
static bool next(member *m, size_t number)
{
    size_t k = 0;
    for (size_t i = 0; wsr__attacks.classes[i] != NULL; i++) {
        const wsr__attack_class *const cls =
            (const wsr__attack_class *)wsr__attacks.classes[i];
        for (int norm = 0; norm < 3; norm++) {
            // The members of a chain choose its norm.
            const bool other = strcmp(cls->super.name, "chain") == 0 &&
                               norm > 0;
            if ((cls->norms >> norm & 1) == 0 || other || k++ != number) {
                continue;
            }
            m->cls = cls;
            m->norm = (wsr__lp)norm;
            spec_of(m->spec, cls, m->norm);
            return true;
        }
    }
    return false;
}

static wsr_model *begin(uint64_t seed)
{
    toy_fill(&model_of, seed);
    toy_images(x, labels, N, &model_of, seed);
    return toy_model(&model_of, true);
}

// Strengths that fool some images and not all.
static const float *strengths(wsr__lp norm)
{
    static const float all[3][2] = {
        {0.02f, 0.07f}, {0.12f, 0.4f}, {0.5f, 2.5f}};
    return all[norm];
}

static void expect_inside(const member *m, const wsr_attack_result *r)
{
    for (size_t e = 0; e < 2; e++) {
        const double eps = (double)strengths(m->norm)[e];
        for (size_t i = 0; i < N; i++) {
            const float *const adv = wsr_attack_result_images(r, e) + i * TOY_D;
            const double distance =
                wsr__distance(m->norm, adv, x + i * TOY_D, TOY_D);
            ck_assert_msg(distance <= eps, "%s at %g: image %zu at %.9g",
                          m->spec, eps, i, distance);
            for (size_t p = 0; p < TOY_D; p++) {
                ck_assert_msg(adv[p] >= 0 && adv[p] <= 1,
                              "%s at %g: pixel %zu of image %zu is %.9g",
                              m->spec, eps, p, i, (double)adv[p]);
            }
        }
    }
}

static void expect_outcomes(const member *m, const wsr_attack_result *r)
{
    for (size_t e = 0; e < 2; e++) {
        for (size_t i = 0; i < N; i++) {
            float z[TOY_CLASSES];
            ck_assert_ok(toy_logits(
                z, wsr_attack_result_images(r, e) + i * TOY_D, 1, &model_of));
            const bool right = wsr__argmax(z, TOY_CLASSES) == labels[i];
            ck_assert_msg(wsr_attack_result_robust(r, e)[i] ==
                              (right && wsr_attack_result_clean(r)[i]),
                          "%s: outcome of image %zu", m->spec, i);
        }
    }
}

START_TEST(results_lie_inside_exactly_and_outcomes_are_true)
{
    static const char *const options[] = {"seed=1", "seed=2,stop=false",
                                          "seed=3,nested=false"};
    member m;
    for (size_t k = 0; next(&m, k); k++) {
        size_t fooled = 0;
        for (uint64_t o = 0; o < 3; o++) {
            wsr_model *const model = begin(o + 10);
            wsr_attack_result *const r =
                toy_attack(m.spec, options[o], strengths(m.norm), 2,
                           &(toy_task){model, x, labels, N});
            expect_inside(&m, r);
            expect_outcomes(&m, r);
            for (size_t i = 0; i < N; i++) {
                fooled += wsr_attack_result_success(r, 1)[i];
            }
            wsr_attack_result_free(r);
            wsr_model_free(model);
        }
        ck_assert_msg(fooled > 0 || strcmp(m.cls->super.name, "gn") == 0 ||
                          strcmp(m.cls->super.name, "transfer") == 0,
                      "%s never succeeds", m.spec);
    }
}
END_TEST

START_TEST(strength_0_returns_the_input_bit_for_bit)
{
    const float eps[2] = {0, 0.05f};
    member m;
    for (size_t k = 0; next(&m, k); k++) {
        wsr_model *const model = begin(20);
        for (size_t o = 0; o < 2; o++) {
            wsr_attack_result *const r =
                toy_attack(m.spec, o == 0 ? NULL : "stop=false", eps, 1 + o,
                           &(toy_task){model, x, labels, N});
            ck_assert_msg(
                same_bits(wsr_attack_result_images(r, 0), x, sizeof(x)),
                "%s moves at strength 0", m.spec);
            for (size_t i = 0; i < N; i++) {
                ck_assert_uint_eq(wsr_attack_result_robust(r, 0)[i],
                                  wsr_attack_result_clean(r)[i]);
            }
            wsr_attack_result_free(r);
        }
        wsr_model_free(model);
    }
}
END_TEST

START_TEST(neither_batches_nor_threads_change_a_result)
{
    member m;
    const size_t threads = wsr_threads();
    for (size_t k = 0; next(&m, k); k++) {
        if (strcmp(m.cls->super.name, "transfer") == 0) {
            continue; // its other network may round by the batch
        }
        wsr_model *const model = begin(30);
        const float *const eps = strengths(m.norm);
        wsr_attack_result *const whole = toy_attack(
            m.spec, "seed=5", eps, 2, &(toy_task){model, x, labels, N});
        const char *const options[] = {"seed=5", "seed=5,batch=1",
                                       "seed=5,batch=5"};
        for (size_t o = 0; o < 3; o++) {
            wsr_set_threads(o == 0 ? 3 : 1);
            wsr_attack_result *const r = toy_attack(
                m.spec, options[o], eps, 2, &(toy_task){model, x, labels, N});
            for (size_t e = 0; e < 2; e++) {
                ck_assert_msg(same_bits(wsr_attack_result_images(r, e),
                                        wsr_attack_result_images(whole, e),
                                        sizeof(x)),
                              "%s depends on %s", m.spec, options[o]);
                ck_assert_mem_eq(wsr_attack_result_queries(r, e),
                                 wsr_attack_result_queries(whole, e),
                                 N * sizeof(uint32_t));
            }
            wsr_attack_result_free(r);
        }
        wsr_set_threads(threads);
        wsr_attack_result_free(whole);
        wsr_model_free(model);
    }
}
END_TEST

START_TEST(only_the_target_counts_in_targeted_mode)
{
    member m;
    for (size_t k = 0; next(&m, k); k++) {
        wsr_attack *refused = NULL;
        if (!m.cls->targets) {
            ck_assert_fails(wsr_attack_new(&refused, m.spec, "target=least"),
                            WSR_CONFIG, "knows no targets");
            continue;
        }
        wsr_model *const model = begin(40);
        int32_t wanted[N];
        for (size_t i = 0; i < N; i++) {
            wanted[i] = (labels[i] + 2) % TOY_CLASSES;
        }
        wsr_attack_result *const r =
            toy_attack(m.spec, "target=given", strengths(m.norm), 2,
                       &(toy_task){model, x, wanted, N});
        expect_inside(&m, r);
        for (size_t i = 0; i < 2 * N; i++) {
            float z[TOY_CLASSES];
            const size_t e = i / N;
            ck_assert_ok(
                toy_logits(z, wsr_attack_result_images(r, e) + i % N * TOY_D, 1,
                           &model_of));
            ck_assert_msg(!wsr_attack_result_success(r, e)[i % N] ||
                              wsr__argmax(z, TOY_CLASSES) == wanted[i % N],
                          "%s counts another class", m.spec);
        }
        wsr_attack_result_free(r);
        wsr_model_free(model);
    }
}
END_TEST

// --------------------------------------------------------- planned networks

// As the toy, with a norm whose statistics an attack must not move.
static wsr_graph *small_graph(wsr_params **params)
{
    wsr_graph *g = NULL;
    ck_assert_ok(wsr_params_new(params, 7));
    ck_assert_ok(wsr_graph_new(&g, *params));
    const wsr__init init = {.bound = 0.5f};
    const wsr_shape channels = wsr__shape1(9);
    wsr_value v = wsr__input(g, "x", wsr__shape4(1, TOY_C, TOY_SIDE, TOY_SIDE));
    v = wsr__op2(g, "conv2d", "pad=1", v,
                 wsr__param_value(g, "a", wsr__shape4(9, TOY_C, 3, 3), init));
    const wsr_value norm[4] = {
        v, wsr__buffer_value(g, "mean", channels, 0.1f),
        wsr__buffer_value(g, "var", channels, 0.5f),
        wsr__buffer_value(g, "tracked", (wsr_shape){0}, 3)};
    v = wsr__opn(g, "batch_norm", NULL, norm, 4);
    v = wsr__op1(g, "relu", NULL, v);
    v = wsr__op1(g, "global_avg_pool", NULL, v);
    v = wsr__op1(g, "reshape", "dims=[9]", v);
    v = wsr__op2(g, "linear", NULL, v,
                 wsr__param_value(g, "b", wsr__shape2(TOY_CLASSES, 9),
                                  (wsr__init){.bound = 4}));
    wsr__set_output(g, "logits", v);
    ck_assert_ok(wsr__graph_status(g));
    return g;
}

START_TEST(parameters_and_statistics_stay_as_they_are)
{
    wsr_params *params = NULL;
    wsr_model *model = NULL;
    member m;
    wsr_graph *const graph = small_graph(&params);
    ck_assert_ok(wsr_model_from_graph(&model, graph, 8));
    wsr_model_free(begin(50)); // for its images
    float before[1024];
    size_t floats = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const int64_t n = wsr_shape_count(wsr_params_shape(params, i));
        memcpy(before + floats, wsr_params_data(params, i),
               (size_t)n * sizeof(float));
        floats += (size_t)n;
    }
    for (size_t k = 0; next(&m, k); k++) {
        wsr_attack_result *const r =
            toy_attack(m.spec, NULL, strengths(m.norm), 2,
                       &(toy_task){model, x, labels, N});
        wsr_attack_result_free(r);
        size_t at = 0;
        for (size_t i = 0; i < wsr_params_count(params); i++) {
            const int64_t n = wsr_shape_count(wsr_params_shape(params, i));
            ck_assert_msg(same_bits(before + at, wsr_params_data(params, i),
                                    (size_t)n * sizeof(float)),
                          "%s changes %s", m.spec, wsr_params_name(params, i));
            ck_assert_ptr_null(wsr_params_grad(params, i));
            at += (size_t)n;
        }
    }
    wsr_model_free(model);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

// ------------------------------------------------------- stopped, taken up

// Stops an attack at call `stop_at`, counted from 1; 0: never.
typedef struct brake {
    size_t stop_at;
    size_t calls;
} brake;

static bool press(const wsr_attack_progress *progress, void *user)
{
    brake *const b = user;
    (void)progress;
    return ++b->calls != b->stop_at;
}

// As through a file.
static void copy_part(wsr__attack_part *to, wsr__attack_part *from)
{
    for (size_t i = 0;; i++) {
        const wsr__state a = wsr__attack_part_state(from, i);
        const wsr__state b = wsr__attack_part_state(to, i);
        ck_assert_uint_eq(a.count, b.count);
        if (a.count == 0) {
            break;
        }
        const size_t size =
            a.kind == WSR__STATE_FLAGS                             ? 1
            : a.kind == WSR__STATE_F32 || a.kind == WSR__STATE_U32 ? 4
                                                                   : 8;
        memcpy(b.data, a.data, a.count * size);
    }
    ck_assert_ok(wsr__attack_part_loaded(to));
}

static void expect_same_result(const char *spec, const wsr_attack_result *a,
                               const wsr_attack_result *b)
{
    for (size_t e = 0; e < 3; e++) {
        ck_assert_msg(same_bits(wsr_attack_result_images(a, e),
                                wsr_attack_result_images(b, e), sizeof(x)),
                      "%s: images at %zu", spec, e);
        ck_assert_mem_eq(wsr_attack_result_robust(a, e),
                         wsr_attack_result_robust(b, e), N);
        ck_assert_mem_eq(wsr_attack_result_success(a, e),
                         wsr_attack_result_success(b, e), N);
        for (size_t i = 0; i < N; i++) {
            ck_assert_msg(wsr_attack_result_queries(a, e)[i] ==
                                  wsr_attack_result_queries(b, e)[i] &&
                              wsr_attack_result_gradients(a, e)[i] ==
                                  wsr_attack_result_gradients(b, e)[i] &&
                              wsr_attack_result_flat(a, e)[i] ==
                                  wsr_attack_result_flat(b, e)[i],
                          "%s: costs of image %zu at %zu", spec, i, e);
        }
    }
    ck_assert_mem_eq(wsr_attack_result_clean(a), wsr_attack_result_clean(b), N);
}

// Stopped at call `stop_at` and taken up from a copy of what was kept. Returns
// the calls of both runs.
static size_t stop_and_go(wsr_attack_result **out, wsr_attack *attack,
                          wsr_model *model, size_t stop_at)
{
    const wsr__labelled of = {x, labels, N};
    wsr__attack_part *first = NULL;
    wsr__attack_part *second = NULL;
    brake b = {.stop_at = stop_at};
    wsr_attack_set_hook(attack, press, &b);
    ck_assert_ok(wsr__attack_part_new(&first, attack, model, N));
    ck_assert_ok(wsr__attack_part_new(&second, attack, model, N));
    ck_assert_fails(wsr__attack_run_part(out, attack, model, &of, first),
                    WSR_CANCELED, "canceled");
    ck_assert_ptr_null(*out);
    copy_part(second, first);
    wsr__attack_part_free(first);
    ck_assert_ok(wsr__attack_run_part(out, attack, model, &of, second));
    wsr__attack_part_free(second);
    return b.calls;
}

// All of what was done before the last savepoint is not done again.
static void expect_goes_on(const char *spec, const char *options,
                           wsr_model *model, const float eps[3])
{
    wsr_attack *attack = NULL;
    wsr_attack_result *whole = NULL;
    brake all = {0};
    ck_assert_ok(wsr_attack_new(&attack, spec, options));
    ck_assert_ok(wsr_attack_set_strengths(attack, eps, 3));
    wsr_attack_set_hook(attack, press, &all);
    ck_assert_ok(wsr_attack_run(&whole, attack, model, x, labels, N));
    size_t most = 0;
    for (size_t k = 0; k < 2; k++) {
        wsr_attack_result *result = NULL;
        const size_t at = all.calls - k * all.calls / 2;
        const size_t calls = stop_and_go(&result, attack, model, at);
        expect_same_result(spec, whole, result);
        most = calls > most ? calls : most;
        wsr_attack_result_free(result);
    }
    // Three batches at two strengths: a sixth is lost at most, and a pass for
    // the clean images.
    const bool whole_only = attack->cls->min_norm ||
                            strstr(spec, "estimator") != NULL;
    ck_assert_msg(whole_only || most < 2 * all.calls - all.calls / 3,
                  "%s: %zu calls, not %zu", spec, most, all.calls);
    wsr_attack_result_free(whole);
    wsr_attack_free(attack);
}

START_TEST(a_stopped_attack_goes_on_to_the_same_result)
{
    static const char *const options[] = {"seed=5,batch=6",
                                          "seed=5,batch=6,stop=false",
                                          "seed=5,batch=6,nested=false"};
    wsr_params *params = NULL;
    wsr_model *model = NULL;
    member m;
    wsr_graph *const graph = small_graph(&params);
    ck_assert_ok(wsr_model_from_graph(&model, graph, 8));
    wsr_model *const small = begin(70);
    for (size_t k = 0; next(&m, k); k++) {
        if (m.norm != WSR__LINF && (m.cls->norms & 1u << WSR__LINF) != 0) {
            continue; // one norm of each
        }
        // The network's last bits depend on which images are computed at once.
        wsr_model *const of = k % 5 == 0 ? model : small;
        for (size_t i = 0; i < N; i++) {
            float z[TOY_CLASSES];
            ck_assert_ok(wsr_model_logits(z, of, x + i * TOY_D, 1));
            labels[i] = wsr__argmax(z, TOY_CLASSES);
        }
        char chain[3 * MOST];
        const float eps[3] = {strengths(m.norm)[1], 0, strengths(m.norm)[0]};
        (void)snprintf(chain, sizeof(chain),
                       "chain:attacks=[%s,chain:attacks=[%s]]", m.spec, m.spec);
        expect_goes_on(m.spec, options[k % 3], of, eps);
        if (m.cls->members == NULL && strlen(chain) < 500) {
            expect_goes_on(chain, options[(k + 1) % 3], of, eps);
        }
    }
    wsr_model_free(small);
    wsr_model_free(model);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(attacks_that_need_no_gradients_ask_for_none)
{
    member m;
    for (size_t k = 0; next(&m, k); k++) {
        if (!m.cls->needs_gradient && m.cls->gradients == NULL) {
            wsr_model_free(begin(60));
            wsr_model *const black = toy_model(&model_of, false);
            wsr_attack_result *const r =
                toy_attack(m.spec, NULL, strengths(m.norm), 2,
                           &(toy_task){black, x, labels, N});
            ck_assert_uint_eq(wsr_model_gradients(black), 0);
            wsr_attack_result_free(r);
            wsr_model_free(black);
        }
    }
}
END_TEST

// With a limit no image is asked about more often, successes are true, and what
// is robust has been asked about as often as the attack wanted or the limit
// permits.
START_TEST(a_limit_of_queries_is_kept_exactly)
{
    static const size_t limits[] = {1, 2, 23};
    member m;
    for (size_t k = 0; next(&m, k); k++) {
        wsr_model *const model = begin(20);
        const toy_task task = {model, x, labels, N};
        wsr_attack_result *const free_one =
            toy_attack(m.spec, "nested=false", strengths(m.norm), 2, &task);
        for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
            char options[64];
            (void)snprintf(options, sizeof(options), "nested=false,queries=%zu",
                           limits[l]);
            wsr_attack_result *const r =
                toy_attack(m.spec, options, strengths(m.norm), 2, &task);
            expect_inside(&m, r);
            expect_outcomes(&m, r);
            for (size_t i = 0; i < 2 * N; i++) {
                const size_t asked = wsr_attack_result_queries(r, i / N)[i % N];
                const size_t wanted =
                    wsr_attack_result_queries(free_one, i / N)[i % N];
                const size_t most = wanted < limits[l] ? wanted : limits[l];
                ck_assert_msg(asked <= limits[l], "%s with %s: %zu queries",
                              m.spec, options, asked);
                ck_assert_msg(asked == most || m.cls->min_norm ||
                                  m.cls->members != NULL,
                              "%s with %s: %zu queries, not %zu", m.spec,
                              options, asked, most);
            }
            wsr_attack_result_free(r);
        }
        wsr_attack_result_free(free_one);
        wsr_model_free(model);
    }
}
END_TEST

START_TEST(every_attack_says_what_it_is)
{
    for (size_t i = 0; wsr__attacks.classes[i] != NULL; i++) {
        const wsr__class *const super = wsr__attacks.classes[i];
        ck_assert_uint_gt(strlen(super->summary), 0);
        ck_assert(strlen(super->reference) > 0 ||
                  strcmp(super->name, "gn") == 0 ||
                  strcmp(super->name, "chain") == 0);
        ck_assert_uint_ne(((const wsr__attack_class *)super)->norms, 0);
    }
    // And the help says it for all.
    char *help = NULL;
    ck_assert_ok(wsr_attack_help(&help, NULL));
    for (size_t i = 0; wsr__attacks.classes[i] != NULL; i++) {
        const wsr__class *const super = wsr__attacks.classes[i];
        char head[96];
        (void)snprintf(head, sizeof(head), "%s%s: ", i == 0 ? "" : "\n",
                       super->name);
        const char *const at = strstr(help, head);
        ck_assert_msg(at != NULL, "the help lacks %s", super->name);
        for (const wsr__option *o = super->schema; o != NULL && o->key != NULL;
             o++) {
            (void)snprintf(head, sizeof(head), "\n  %s=", o->key);
            ck_assert_ptr_nonnull(strstr(at, head));
        }
    }
    wsr_text_free(help);
}
END_TEST

// The first class wins everywhere, and nothing shows how to change that.
static wsr_status constant_logits(float *z, const float *images, size_t n,
                                  void *user)
{
    (void)images;
    (void)user;
    for (size_t i = 0; i < n * TOY_CLASSES; i++) {
        z[i] = i % TOY_CLASSES == 0 ? 1 : 0;
    }
    return WSR_OK;
}

static wsr_status no_gradient(float *dx, const float *dz, size_t n, void *user)
{
    (void)dz;
    (void)user;
    memset(dx, 0, n * TOY_D * sizeof(*dx));
    return WSR_OK;
}

// No image was fooled: at no strength, however large, does one count.
static void expect_nothing_found(const char *spec, wsr_model *model)
{
    const float eps[3] = {0.5f, 1000, INFINITY};
    const int32_t first[N] = {0};
    wsr_attack_result *const r =
        toy_attack(spec, NULL, eps, 3, &(toy_task){model, x, first, N});
    for (size_t k = 0; k < 3 * (size_t)N; k++) {
        const size_t e = k / N;
        const size_t i = k % N;
        ck_assert_msg(wsr_attack_result_robust(r, e)[i] &&
                          !wsr_attack_result_success(r, e)[i],
                      "%s fools image %zu at %g", spec, i, (double)eps[e]);
        ck_assert(wsr_attack_result_linf(r, e)[i] <= 0);
        ck_assert(same_bits(wsr_attack_result_images(r, e) + i * TOY_D,
                            x + i * TOY_D, TOY_D * sizeof(float)));
    }
    wsr_attack_result_free(r);
}

START_TEST(strength_inf_takes_no_image_that_was_not_found)
{
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr_model *model = NULL;
    member m;
    size_t members = 0;
    wsr_model_free(begin(70)); // for its images
    ck_assert_ok(wsr_model_new(&model, &shape, TOY_CLASSES, constant_logits,
                               no_gradient, NULL));
    for (size_t k = 0; next(&m, k); k++) {
        if (m.cls->min_norm) {
            expect_nothing_found(m.spec, model);
            members++;
        }
    }
    ck_assert_uint_ge(members,
                      10); // cw, ead, 2 of deepfool, 3 of fab and fab_t
    wsr_model_free(model);
}
END_TEST

START_TEST(strength_inf_counts_as_a_large_strength_does)
{
    static const char *const weak[] = {
        "cw:steps=1,search=1,c=1e-9", "ead:steps=1,search=1,c=1e-9",
        "deepfool:steps=1",           "fab:steps=1",
        "fab_t:steps=1,targets=1",    NULL};
    const float eps[2] = {1000, INFINITY};
    size_t robust = 0;
    for (size_t k = 0; weak[k] != NULL; k++) {
        wsr_model *const model = begin(71);
        wsr_attack_result *const r =
            toy_attack(weak[k], NULL, eps, 2, &(toy_task){model, x, labels, N});
        for (size_t i = 0; i < N; i++) {
            ck_assert_msg(wsr_attack_result_robust(r, 0)[i] ==
                              wsr_attack_result_robust(r, 1)[i],
                          "%s: image %zu", weak[k], i);
            robust += wsr_attack_result_robust(r, 1)[i];
        }
        expect_outcomes(&(member){.spec = "weak"}, r);
        wsr_attack_result_free(r);
        wsr_model_free(model);
    }
    ck_assert_uint_gt(robust, 0);
}
END_TEST

typedef struct watch {
    const member *m;
    double done;
    size_t calls;
} watch;

static bool see(const wsr_attack_progress *progress, void *user)
{
    watch *const w = user;
    ck_assert_msg(progress->passes <= progress->passes_most,
                  "%s: pass %ju of %ju", w->m->spec,
                  (uintmax_t)progress->passes,
                  (uintmax_t)progress->passes_most);
    ck_assert_msg(progress->done >= w->done && progress->done <= 1,
                  "%s: %g after %g", w->m->spec, progress->done, w->done);
    ck_assert_str_eq(progress->attack, w->m->cls->super.name);
    w->done = progress->done;
    w->calls += progress->member_done ? 0 : 1;
    return true;
}

START_TEST(progress_never_falls_and_keeps_its_bound)
{
    static const char *const options[] = {"batch=5", "stop=false",
                                          "nested=false"};
    member m;
    for (size_t k = 0; next(&m, k); k++) {
        for (size_t i = 0; i < 3; i++) {
            wsr_model *const model = begin(71);
            wsr_attack *attack = NULL;
            wsr_attack_result *result = NULL;
            watch w = {.m = &m};
            ck_assert_ok(wsr_attack_new(&attack, m.spec, options[i]));
            ck_assert_ok(
                wsr_attack_set_strengths(attack, strengths(m.norm), 2));
            wsr_attack_set_hook(attack, see, &w);
            model_of.calls = 0;
            ck_assert_ok(wsr_attack_run(&result, attack, model, x, labels, N));
            ck_assert_uint_ge(w.calls, model_of.calls);
            ck_assert_double_gt(w.done, 0);
            wsr_attack_result_free(result);
            wsr_attack_free(attack);
            wsr_model_free(model);
        }
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        results_lie_inside_exactly_and_outcomes_are_true,
        strength_0_returns_the_input_bit_for_bit,
        neither_batches_nor_threads_change_a_result,
        only_the_target_counts_in_targeted_mode,
        parameters_and_statistics_stay_as_they_are,
        a_stopped_attack_goes_on_to_the_same_result,
        attacks_that_need_no_gradients_ask_for_none,
        a_limit_of_queries_is_kept_exactly,
        every_attack_says_what_it_is,
        strength_inf_takes_no_image_that_was_not_found,
        strength_inf_counts_as_a_large_strength_does,
        progress_never_falls_and_keeps_its_bound,
        NULL};
    return suite_of("attack sweep", tests);
}
