// SPDX-License-Identifier: Apache-2.0
//
// Augmentations against what Pillow, torchvision and the authors' module made
// of the pictures of imagefolder.safetensors. All parameters come from the
// file's metadata. A byte may be off by one, and most must be equal; each test
// says how many were.

#include "augment/jitter.h"
#include "augment/timm_support.h"
#include "golden/golden_support.h"

#include <jansson.h>

// ------------------------------------------------------------------- tensors

static json_t *metadata(const wsr__st *st, const char *key)
{
    const char *const text = wsr__st_metadata(st, key);
    ck_assert_msg(text != NULL, "there is no metadata %s", key);
    json_t *const json = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(json);
    return json;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

// A tensor of bytes (c, h, w) as an image.
static void read_image(wsr__bitmap *out, const wsr__st *st, const char *name)
{
    const wsr__st_tensor *const t = wsr__st_find(st, name);
    ck_assert_msg(t != NULL && t->ndims == 3, "there is no image %s", name);
    const wsr__image shape = {t->dims[0], t->dims[1], t->dims[2]};
    ck_assert_ok(wsr__bitmap_reserve(out, shape));
    wsr__bitmap_swap(out, shape);
    ck_assert_ok(wsr__st_read_u8(out->bytes, st, name, t->count));
}

static void read_base(wsr__bitmap *out, const wsr__st *st, int base)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "base%d", base);
    read_image(out, st, name);
}

typedef struct score {
    size_t tensors;
    size_t equal; // tensors without any difference
    size_t bytes;
    size_t off;
} score;

static void compare(score *s, const wsr__bitmap *image, const wsr__st *st,
                    const char *name)
{
    wsr__bitmap want = {0};
    size_t off = 0;
    read_image(&want, st, name);
    const size_t n = (size_t)wsr__image_floats(want.shape);
    ck_assert(memcmp(&want.shape, &image->shape, sizeof(want.shape)) == 0);
    for (size_t i = 0; i < n; i++) {
        const int d = abs(image->bytes[i] - want.bytes[i]);
        ck_assert_msg(d <= 1, "%s: byte %zu is off by %d", name, i, d);
        off += d != 0;
    }
    ck_assert_msg(2 * off < n, "%s: %zu of %zu bytes differ", name, off, n);
    s->tensors++;
    s->equal += off == 0;
    s->bytes += n;
    s->off += off;
    wsr__bitmap_free(&want);
}

static void report(const char *what, const score *s)
{
    printf("%s: %zu of %zu tensors equal, %zu of %zu bytes off by 1\n", what,
           s->equal, s->tensors, s->off, s->bytes);
    ck_assert_uint_gt(s->tensors, 0);
}

// -------------------------------------------------------------------- jitter

// The operations of a row that have an argument, in its order.
static void jitter(wsr__bitmap *image, const json_t *row)
{
    static const char *const keys[] = {"brightness", "contrast", "saturation",
                                       "hue"};
    static const wsr__image_op ops[] = {wsr__image_brightness,
                                        wsr__image_contrast, wsr__image_color,
                                        wsr__image_hue};
    const json_t *const order = json_object_get(row, "order");
    for (size_t i = 0; i < json_array_size(order); i++) {
        const size_t k = (size_t)json_integer_value(json_array_get(order, i));
        if (!json_is_null(json_object_get(row, keys[k]))) {
            ck_assert_ok(ops[k](image, number(row, keys[k]), NULL));
        }
    }
}

START_TEST(colour_jitter_rounds_as_torchvision_on_pillow_images)
{
    wsr__st *const st = golden_open("imagefolder");
    json_t *const all = metadata(st, "jitter");
    const char *name;
    json_t *row;
    score s = {0};
    json_object_foreach(all, name, row)
    {
        char tensor[128];
        wsr__bitmap image = {0};
        read_base(&image, st, (int)number(row, "base"));
        jitter(&image, row);
        (void)snprintf(tensor, sizeof(tensor), "jitter.%s", name);
        compare(&s, &image, st, tensor);
        wsr__bitmap_free(&image);
    }
    report("colour jitter", &s);
    json_decref(all);
    wsr__st_free(st);
}
END_TEST

// The same in floats, from an image of bytes.
static double float_difference(const wsr__st *st, const char *name,
                               const json_t *row)
{
    static const char *const keys[] = {"brightness", "contrast", "saturation",
                                       "hue"};
    const json_t *const order = json_object_get(row, "order");
    wsr__jitter_draw drawn = {.n = 0};
    char tensor[128];
    wsr__bitmap base = {0};
    for (size_t i = 0; i < json_array_size(order); i++) {
        const size_t k = (size_t)json_integer_value(json_array_get(order, i));
        if (!json_is_null(json_object_get(row, keys[k]))) {
            drawn.op[drawn.n] = (uint32_t)k;
            drawn.argument[drawn.n++] = number(row, keys[k]);
        }
    }
    read_base(&base, st, (int)number(row, "base"));
    const size_t n = (size_t)wsr__image_floats(base.shape);
    float *const image = wsr__alloc(n, sizeof(*image));
    wsr__bytes_to_floats(image, base.bytes, (int64_t)n);
    wsr__jitter_floats(image, base.shape, &drawn);
    (void)snprintf(tensor, sizeof(tensor), "jitter_f32.%s", name);
    float *const want = golden_read(st, tensor, n);
    const double d = golden_difference(image, want, n);
    wsr__free(image);
    wsr__free(want);
    wsr__bitmap_free(&base);
    return d;
}

START_TEST(colour_jitter_of_floats_is_that_of_torchvision_on_tensors)
{
    wsr__st *const st = golden_open("imagefolder");
    json_t *const all = metadata(st, "jitter");
    const char *name;
    json_t *row;
    double most = 0;
    json_object_foreach(all, name, row)
    {
        const double d = float_difference(st, name, row);
        ck_assert_msg(d <= 2e-6, "jitter_f32.%s differs by %g", name, d);
        most = d > most ? d : most;
    }
    printf("colour jitter of floats: %zu tensors, at most %.2g off\n",
           json_object_size(all), most);
    ck_assert_uint_gt(json_object_size(all), 0);
    json_decref(all);
    wsr__st_free(st);
}
END_TEST

// ------------------------------------------------------------------ policies

static wsr__border border_of(const json_t *row, const char *sampling)
{
    static const char *const words[] = {"nearest", "bilinear", "bicubic"};
    const json_t *const fill = json_object_get(row, "fill");
    wsr__border border = {WSR__SAMPLE_NEAREST, {0, 0, 0}};
    for (int i = 0; i < 3; i++) {
        border.fill[i] =
            (unsigned char)json_integer_value(json_array_get(fill, (size_t)i));
        if (strcmp(words[i], sampling) == 0) {
            border.sampling = (wsr__sampling)i;
        }
    }
    return border;
}

// "ra.OP.K" or "ra.OP.K.sampling": the parts behind the first dot.
static void split(char parts[3][32], const char *name)
{
    const char *at = strchr(name, '.') + 1;
    for (size_t i = 0; i < 3; i++) {
        const size_t n = strcspn(at, ".");
        ck_assert_uint_lt(n, 32);
        memcpy(parts[i], at, n);
        parts[i][n] = '\0';
        at += n + (at[n] == '.');
    }
}

START_TEST(operations_of_the_authors_randaugment_are_equal)
{
    wsr__st *const st = golden_open("imagefolder");
    json_t *const all = metadata(st, "ra");
    const char *name;
    json_t *row;
    score s = {0};
    json_object_foreach(all, name, row)
    {
        char parts[3][32];
        wsr__bitmap image = {0};
        split(parts, name);
        const timm_op *const op = timm_find(parts[0]);
        const wsr__border border = border_of(row, parts[2]);
        const bool negative = json_is_true(json_object_get(row, "negative"));
        const json_t *const given =
            json_array_get(json_object_get(row, "argument"), 0);
        const double argument = json_number_value(given);
        if (given != NULL) {
            const double level = number(row, "magnitude");
            ck_assert_double_eq_tol(timm_argument(op, level, negative ? -1 : 1),
                                    argument, 1e-9);
        }
        read_base(&image, st, (int)number(row, "base"));
        ck_assert_ok(op->op(&image, argument, &border));
        compare(&s, &image, st, name);
        wsr__bitmap_free(&image);
    }
    report("operations of timm", &s);
    json_decref(all);
    wsr__st_free(st);
}
END_TEST

// torchvision's operations: factors are 1 + argument, and translations move the
// image and not the place that is read.
static const struct {
    const char *name;
    wsr__image_op op;
    double offset;
    double factor;
} tv_ops[] = {
    {"ShearX", wsr__image_shear_x, 0, 1},
    {"ShearY", wsr__image_shear_y, 0, 1},
    {"TranslateX", wsr__image_translate_x, 0, -1},
    {"TranslateY", wsr__image_translate_y, 0, -1},
    {"Rotate", wsr__image_rotate, 0, 1},
    {"Brightness", wsr__image_brightness, 1, 1},
    {"Color", wsr__image_color, 1, 1},
    {"Contrast", wsr__image_contrast, 1, 1},
    {"Sharpness", wsr__image_sharpness, 1, 1},
    {"Posterize", wsr__image_posterize, 0, 1},
    {"Solarize", wsr__image_solarize, 0, 1},
    {"AutoContrast", wsr__image_autocontrast, 0, 1},
    {"Equalize", wsr__image_equalize, 0, 1},
    {"Invert", wsr__image_invert, 0, 1},
};

START_TEST(operations_of_torchvisions_randaugment_are_equal)
{
    wsr__st *const st = golden_open("imagefolder");
    json_t *const all = metadata(st, "tv");
    const char *name;
    json_t *row;
    score s = {0};
    json_object_foreach(all, name, row)
    {
        char parts[3][32];
        size_t i = 0;
        wsr__bitmap image = {0};
        split(parts, name);
        while (strcmp(tv_ops[i].name, parts[0]) != 0) {
            i++;
            ck_assert_uint_lt(i, sizeof(tv_ops) / sizeof(*tv_ops));
        }
        const wsr__border border = border_of(
            row, json_string_value(json_object_get(row, "interpolation")));
        const double argument = tv_ops[i].offset +
                                tv_ops[i].factor * number(row, "argument");
        read_base(&image, st, (int)number(row, "base"));
        ck_assert_ok(tv_ops[i].op(&image, argument, &border));
        compare(&s, &image, st, name);
        wsr__bitmap_free(&image);
    }
    report("operations of torchvision", &s);
    json_decref(all);
    wsr__st_free(st);
}
END_TEST

// ------------------------------------------------------- single augmentations

START_TEST(blur_grey_and_solarization_are_equal)
{
    wsr__st *const st = golden_open("imagefolder");
    score s = {0};
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        char spec[64];
        const char *const name = wsr__st_at(st, i)->name;
        wsr__bitmap image = {0};
        if (strncmp(name, "blur.", 5) == 0) {
            (void)snprintf(spec, sizeof(spec), "gaussian_blur:p=1,sigma=%s",
                           name + 5);
        } else if (strcmp(name, "grey3") == 0) {
            (void)snprintf(spec, sizeof(spec), "grayscale:p=1");
        } else if (strncmp(name, "solarize", 8) == 0) {
            (void)snprintf(spec, sizeof(spec), "solarize:p=1,threshold=%s",
                           name + 8);
        } else {
            continue;
        }
        read_base(&image, st, 6);
        ck_assert_ok(bitmap_augment(&image, spec, 0));
        compare(&s, &image, st, name);
        wsr__bitmap_free(&image);
    }
    report("blur, grey, solarize", &s);
    wsr__st_free(st);
}
END_TEST

// ------------------------------------------ augmentations with drawn places

// Apply an augmentation of floats for one sample after the other until the
// result is the wanted one.
static bool some_sample_gives(
    const float *want, const float *src, wsr__image image, const char *spec,
    uint32_t samples, bool (*same)(const float *, const float *, size_t))
{
    const wsr__class *cls;
    void *params = NULL;
    const size_t n = (size_t)wsr__image_floats(image);
    float *const dst = wsr__alloc(n, sizeof(*dst));
    bool found = false;
    ck_assert_ok(wsr__class_spec(&cls, &params, &wsr__augments, spec));
    const wsr__augment_class *const augment =
        (const wsr__augment_class *)(const void *)cls;
    for (uint32_t sample = 0; sample < samples && !found; sample++) {
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_AUGMENT, 1, sample);
        augment->apply(dst, src, image, params, &rng);
        found = same(dst, want, n);
    }
    wsr__free(params);
    wsr__free(dst);
    return found;
}

static bool equal(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

// cifar.image is (h, w, c); results of bytes are divided by 255.
static float *read_cifar(const wsr__st *st, const char *name, bool planes)
{
    unsigned char bytes[3 * 32 * 32];
    float *const out = wsr__alloc(sizeof(bytes), sizeof(*out));
    ck_assert_ok(wsr__st_read_u8(bytes, st, name, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[i] = (float)bytes[planes ? i : i % 1024 * 3 + i / 1024] / 255.0f;
    }
    return out;
}

// Every place is drawn sooner or later: of 81 crops and 1024 holes.
START_TEST(crops_and_holes_are_among_those_drawn)
{
    static const wsr__image image = {3, 32, 32};
    wsr__st *const st = golden_open("imagefolder");
    float *const src = read_cifar(st, "cifar.image", false);
    size_t n = 0;
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const char *const name = wsr__st_at(st, i)->name;
        const bool crop = strncmp(name, "cifar.crop", 10) == 0;
        if (!crop && strncmp(name, "cutout", 6) != 0) {
            continue;
        }
        float *const want = crop ? read_cifar(st, name, true)
                                 : golden_read(st, name, 3 * 32 * 32);
        ck_assert_msg(
            some_sample_gives(want, src, image,
                              crop ? "random_crop:pad=4" : "cutout:length=16",
                              crop ? 3000 : 30000, equal),
            "%s is never drawn", name);
        wsr__free(want);
        n++;
    }
    printf("crops and holes: %zu of %zu equal\n", n, n);
    ck_assert_uint_gt(n, 0);
    wsr__free(src);
    wsr__st_free(st);
}
END_TEST

// The wanted image has -9 in its hole, the erased one -8.
static bool same_outside(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (b[i] == -9.0f ? a[i] != -8.0f : a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

// Size and shape of the hole are given, its place is drawn.
START_TEST(erased_rectangles_are_among_those_drawn)
{
    wsr__st *const st = golden_open("imagefolder");
    json_t *const all = metadata(st, "erase");
    const wsr__st_tensor *const t = wsr__st_find(st, "erase.input");
    const wsr__image image = {t->dims[0], t->dims[1], t->dims[2]};
    float *const src = golden_read(st, "erase.input", t->count);
    const char *name;
    json_t *row;
    json_object_foreach(all, name, row)
    {
        char text[160];
        const double h = number(row, "h");
        const double w = number(row, "w");
        (void)snprintf(text, sizeof(text), "%s.output", name);
        float *const want = golden_read(st, text, t->count);
        for (size_t i = 0; i < t->count; i++) {
            const double y = (double)(i / (size_t)image.w % (size_t)image.h);
            const double x = (double)(i % (size_t)image.w);
            const double dy = y - number(row, "i");
            const double dx = x - number(row, "j");
            if (dy >= 0 && dy < h && dx >= 0 && dx < w) {
                want[i] = -9.0f;
            }
        }
        (void)snprintf(text, sizeof(text),
                       "random_erasing:p=1,mean=-8,scale=%.17g,ratio=%.17g",
                       h * w / (double)(image.h * image.w), h / w);
        ck_assert_msg(
            some_sample_gives(want, src, image, text, 60000, same_outside),
            "%s is never drawn", name);
        wsr__free(want);
    }
    printf("erased rectangles: %zu equal\n", json_object_size(all));
    wsr__free(src);
    json_decref(all);
    wsr__st_free(st);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        colour_jitter_rounds_as_torchvision_on_pillow_images,
        colour_jitter_of_floats_is_that_of_torchvision_on_tensors,
        operations_of_the_authors_randaugment_are_equal,
        operations_of_torchvisions_randaugment_are_equal,
        blur_grey_and_solarization_are_equal,
        crops_and_holes_are_among_those_drawn,
        erased_rectangles_are_among_those_drawn,
        NULL,
    };
    return suite_of("golden augmentations", tests);
}
