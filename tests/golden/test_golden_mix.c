// SPDX-License-Identifier: Apache-2.0
//
// Mixup and CutMix of a batch against the package that the golden file names:
// images, and smoothed targets. The numbers are those of the file.

#include "golden_support.h"
#include "train/mix.h"

enum { MOST = 64 };

// The number behind "key": in the entry of a mixture; NAN for null and false.
static double number(const char *entry, const char *key)
{
    char quoted[32];
    (void)snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
    const char *const at = strstr(entry, quoted);
    ck_assert_ptr_nonnull(at);
    const char *const value = at + strlen(quoted);
    return strncmp(value, "true", 4) == 0       ? 1
           : value[0] == 'n' || value[0] == 'f' ? nan("")
                                                : strtod(value, NULL);
}

typedef struct mixed {
    const wsr__st *st;
    wsr_shape image;
    size_t n;
    size_t floats;
    float *input;
    int64_t labels[MOST];
} mixed;

static void compare_images(double shares[MOST], const mixed *m,
                           const char *entry, const char *name)
{
    char key[64];
    const double cut = number(entry, "cutmix");
    wsr__mix mix = {.lambda = number(entry, "lam"), .cut = !isnan(cut)};
    if (mix.cut) {
        mix.y = (int64_t)number(entry, "centre_y");
        mix.x = (int64_t)number(entry, "centre_x");
    }
    (void)snprintf(key, sizeof(key), "%s.output", name);
    float *const want = golden_read(m->st, key, m->n * m->floats);
    float *const out = wsr__alloc(m->floats, sizeof(*out));
    size_t equal = 0;
    for (size_t i = 0; i < m->n; i++) {
        const float *const row = want + i * m->floats;
        shares[i] = wsr__mix_images(out, m->input + i * m->floats,
                                    m->input + (m->n - 1 - i) * m->floats,
                                    &m->image, &mix);
        ck_assert_double_le(golden_difference(out, row, m->floats), 1e-6);
        for (size_t k = 0; k < m->floats; k++) {
            equal += out[k] == row[k];
        }
    }
    printf("%s: %zu of %zu pixels equal\n", key, equal, m->n * m->floats);
    wsr__free(out);
    wsr__free(want);
}

// The gradient of the cross entropy at logits 0 is 1 / classes - target.
static void compare_targets(const double shares[MOST], const mixed *m,
                            const char *entry, const char *name)
{
    enum { CLASSES = 64 };
    static const float z[CLASSES];
    float dz[CLASSES];
    char key[64];
    const size_t classes = (size_t)number(entry, "num_classes");
    ck_assert_uint_le(classes, CLASSES);
    (void)snprintf(key, sizeof(key), "%s.target", name);
    float *const want = golden_read(m->st, key, m->n * classes);
    for (size_t i = 0; i < m->n; i++) {
        const wsr__ce_target target = {.label = (size_t)m->labels[i],
                                       .other = (size_t)m->labels[m->n - 1 - i],
                                       .share = 1 - shares[i],
                                       .smoothing = number(entry, "smoothing"),
                                       .scale = 1};
        (void)wsr__softmax_cross_entropy(dz, z, classes, &target);
        for (size_t c = 0; c < classes; c++) {
            const double t = 1 / (double)classes - (double)dz[c];
            ck_assert_double_eq_tol(t, (double)want[i * classes + c], 1e-6);
        }
    }
    wsr__free(want);
}

START_TEST(mixtures_are_those_of_the_package)
{
    wsr__st *const st = golden_open("imagefolder");
    const wsr__st_tensor *const input = wsr__st_find(st, "mix.input");
    mixed m = {.st = st, .n = (size_t)input->dims[0]};
    m.image = (wsr_shape){3, {input->dims[1], input->dims[2], input->dims[3]}};
    m.floats = (size_t)wsr_shape_count(&m.image);
    m.input = golden_read(st, "mix.input", input->count);
    ck_assert_uint_le(m.n, MOST);
    ck_assert_ok(wsr__st_read_i64(m.labels, st, "mix.labels", m.n));
    const char *const all = wsr__st_metadata(st, "mix");
    size_t found = 0;
    for (;; found++) {
        char quoted[48];
        char name[32];
        double shares[MOST];
        (void)snprintf(name, sizeof(name), "mix.%zu", found);
        (void)snprintf(quoted, sizeof(quoted), "\"%s\": ", name);
        const char *const entry = strstr(all, quoted);
        if (entry == NULL) {
            break;
        }
        compare_images(shares, &m, entry, name);
        compare_targets(shares, &m, entry, name);
    }
    ck_assert_uint_gt(found, 0);
    wsr__free(m.input);
    wsr__st_free(st);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {mixtures_are_those_of_the_package, NULL};
    return suite_of("golden mix", tests);
}
