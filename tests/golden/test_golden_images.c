// SPDX-License-Identifier: Apache-2.0
//
// Resizes and crops against the pixels of Pillow and torchvision, which must be
// equal: whatever the file holds of each kind, from the decoded pictures on.
// And the pictures themselves, as files in folders, which must be equal as well
// where the same libjpeg-turbo decodes them.

#include "data/files.h"
#include "golden_support.h"
#include "support/pictures.h"

#include <jansson.h>

static wsr__st *open_file(void)
{
    return golden_open("imagefolder");
}

// Picture K of the file, (h, w, 3) there, as a bitmap.
static wsr__bitmap picture_of(const wsr__st *st, int k)
{
    char name[64];
    wsr__bitmap out = {0};
    (void)snprintf(name, sizeof(name), "img%d.rgb", k);
    const wsr__st_tensor *const t = wsr__st_find(st, name);
    ck_assert_msg(t != NULL, "%s: is absent", name);
    const wsr__image shape = {3, t->dims[0], t->dims[1]};
    unsigned char *const rgb = wsr__alloc(t->count, 1);
    ck_assert_ok(wsr__st_read_u8(rgb, st, name, t->count));
    ck_assert_ok(wsr__bitmap_reserve(&out, shape));
    const size_t plane = t->count / 3;
    for (size_t i = 0; i < t->count; i++) {
        out.spare[i % 3 * plane + i / 3] = rgb[i];
    }
    wsr__bitmap_swap(&out, shape);
    wsr__free(rgb);
    return out;
}

// The tensor (3, h, w) must be the image.
static void check(const wsr__st *st, const wsr__st_tensor *t,
                  const wsr__bitmap *image)
{
    ck_assert_int_eq(t->dims[1], image->shape.h);
    ck_assert_int_eq(t->dims[2], image->shape.w);
    unsigned char *const want = wsr__alloc(t->count, 1);
    size_t different = 0;
    ck_assert_ok(wsr__st_read_u8(want, st, t->name, t->count));
    for (size_t i = 0; i < t->count; i++) {
        different += want[i] != image->bytes[i];
    }
    printf("%-24s %zu of %zu pixels differ\n", t->name, different, t->count);
    ck_assert_uint_eq(different, 0);
    wsr__free(want);
}

static void resize_and_cut(wsr__bitmap *image, int64_t side, int64_t h,
                           int64_t w, wsr__filter filter)
{
    wsr__window window;
    ck_assert_ok(wsr__bitmap_resize_short(image, side, filter));
    ck_assert_ok(wsr__window_centre(&window, image->shape, h, w));
    ck_assert_ok(wsr__bitmap_crop(image, &window));
}

// Whether a name is "PREFIXnumberSUFFIX"; the number of the picture.
static bool is_named(int *k, const char *name, const char *prefix,
                     const char *suffix)
{
    char *end = NULL;
    const size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0 || name[n] < '0' || name[n] > '9') {
        return false;
    }
    *k = (int)strtol(name + n, &end, 10);
    return strcmp(end, suffix) == 0;
}

// What an evaluation shows: Resize, then CenterCrop.
typedef struct shown {
    const char *prefix;
    const char *suffix;
    int64_t side;
    int64_t h;
    int64_t w;
    wsr__filter filter;
} shown;

START_TEST(short_sides_and_centres_are_those_of_torchvision)
{
    static const shown kinds[] = {
        {"img", ".eval224", 256, 224, 224, WSR__BILINEAR},
        {"img", ".eval128", 160, 128, 128, WSR__BILINEAR},
        {"img", ".eval224_bicubic", 256, 224, 224, WSR__BICUBIC},
        {"base", "", 128, 80, 96, WSR__BILINEAR},
    };
    wsr__st *const st = open_file();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const shown *const s = &kinds[i];
        size_t found = 0;
        for (size_t j = 0; j < wsr__st_count(st); j++) {
            const wsr__st_tensor *const t = wsr__st_at(st, j);
            int k;
            if (is_named(&k, t->name, s->prefix, s->suffix)) {
                wsr__bitmap image = picture_of(st, k);
                resize_and_cut(&image, s->side, s->h, s->w, s->filter);
                check(st, t, &image);
                wsr__bitmap_free(&image);
                found++;
            }
        }
        ck_assert_uint_gt(found, 0);
    }
    wsr__st_free(st);
}
END_TEST

// (h, w) of the whole image after the resize alone.
START_TEST(the_long_side_truncates)
{
    wsr__st *const st = open_file();
    size_t found = 0;
    for (size_t j = 0; j < wsr__st_count(st); j++) {
        const char *const name = wsr__st_at(st, j)->name;
        int64_t want[2];
        int k;
        if (is_named(&k, name, "img", ".resize256_hw")) {
            wsr__bitmap image = picture_of(st, k);
            ck_assert_ok(wsr__st_read_i64(want, st, name, 2));
            ck_assert_ok(wsr__bitmap_resize_short(&image, 256, WSR__BILINEAR));
            ck_assert_int_eq(image.shape.h, want[0]);
            ck_assert_int_eq(image.shape.w, want[1]);
            wsr__bitmap_free(&image);
            found++;
        }
    }
    ck_assert_uint_gt(found, 0);
    wsr__st_free(st);
}
END_TEST

static int64_t whole(const json_t *object, const char *key)
{
    const json_t *const value = json_object_get(object, key);
    ck_assert_msg(json_is_integer(value), "%s: is no whole number", key);
    return json_integer_value(value);
}

static void check_flipped(const wsr__st *st, const char *name,
                          wsr__bitmap *image)
{
    char flipped[96];
    (void)snprintf(flipped, sizeof(flipped), "%s.hflip", name);
    const wsr__st_tensor *const t = wsr__st_find(st, flipped);
    const int64_t w = image->shape.w;
    if (t == NULL) {
        return;
    }
    ck_assert_ok(wsr__bitmap_reserve(image, image->shape));
    for (int64_t i = 0; i < image->shape.c * image->shape.h * w; i++) {
        image->spare[i] = image->bytes[i - i % w + w - 1 - i % w];
    }
    wsr__bitmap_swap(image, image->shape);
    check(st, t, image);
}

// Crop first, then resize.
START_TEST(crops_are_resized_as_torchvision_does)
{
    wsr__st *const st = open_file();
    const char *const text = wsr__st_metadata(st, "rrc");
    ck_assert(text != NULL);
    json_t *const all = json_loads(text, 0, NULL);
    const char *name;
    json_t *one;
    ck_assert_uint_gt(json_object_size(all), 0);
    json_object_foreach(all, name, one)
    {
        int k;
        char tail[16];
        ck_assert_int_eq(sscanf(name, "rrc.img%d.%15s", &k, tail), 2);
        wsr__bitmap image = picture_of(st, k);
        const wsr__window window = {whole(one, "i"), whole(one, "j"),
                                    whole(one, "h"), whole(one, "w")};
        const char *const word =
            json_string_value(json_object_get(one, "interpolation"));
        const int64_t size = whole(one, "size");
        ck_assert_ok(wsr__bitmap_crop(&image, &window));
        ck_assert_ok(wsr__bitmap_resize(
            &image, size, size,
            strcmp(word, "bicubic") == 0 ? WSR__BICUBIC : WSR__BILINEAR));
        check(st, wsr__st_find(st, name), &image);
        check_flipped(st, name, &image);
        wsr__bitmap_free(&image);
    }
    json_decref(all);
    wsr__st_free(st);
}
END_TEST

// ------------------------------------------------------------------ the files

// Unpack the archive of the pictures; [borrowed] the folder of the classes.
static const char *unpack(void)
{
    static char out[1024];
    char path[1024];
    wsr__archive *archive = NULL;
    const char *name = NULL;
    wsr__source *entry = NULL;
    const char *const folder = scratch_folder("images");
    (void)snprintf(path, sizeof(path), "%s/golden/imagefolder.tar.gz",
                   shared_folder());
    if (!wsr__file_exists(path)) {
        skip("the golden pictures are absent");
    }
    ck_assert_ok(wsr__archive_open(&archive, path));
    for (;;) {
        ck_assert_ok(wsr__archive_next(&name, &entry, archive));
        if (name == NULL) {
            break;
        }
        bytes content = {wsr__alloc((size_t)entry->size, 1),
                         (size_t)entry->size};
        ck_assert_ok(wsr__source_read(entry, content.data, content.size));
        (void)snprintf(out, sizeof(out), "%s/%s", folder, name);
        *strrchr(out, '/') = '\0';
        ck_assert_ok(wsr__make_directory(out));
        (void)snprintf(out, sizeof(out), "%s/%s", folder, name);
        put_file(out, &content);
        wsr__free(content.data);
    }
    wsr__archive_close(archive);
    (void)snprintf(out, sizeof(out), "%s/imagefolder", folder);
    return out;
}

static wsr_dataset *open_pictures(const char *options)
{
    char spec[1100];
    wsr_dataset *dataset = NULL;
    need_pictures();
    (void)snprintf(spec, sizeof(spec), "imagefolder:%s", unpack());
    ck_assert_ok(wsr_dataset_open(&dataset, spec, NULL, options));
    return dataset;
}

START_TEST(files_classes_and_labels_are_in_torchvisions_order)
{
    wsr_dataset *const dataset = open_pictures(NULL);
    wsr__st *const st = open_file();
    json_t *const files = json_loads(wsr__st_metadata(st, "files"), 0, NULL);
    json_t *const classes =
        json_loads(wsr__st_metadata(st, "classes"), 0, NULL);
    const size_t n = json_array_size(files);
    int64_t labels[64];
    ck_assert_uint_eq(wsr_dataset_count(dataset), n);
    ck_assert_ok(wsr__st_read_i64(labels, st, "labels", n));
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        const char *const path =
            wsr__files_path(wsr__files_of(dataset, &at), i);
        const char *const want = json_string_value(json_array_get(files, i));
        ck_assert_str_eq(path + strlen(path) - strlen(want), want);
        ck_assert_int_eq(wsr_dataset_labels(dataset)[i], labels[i]);
    }
    for (size_t i = 0; i < json_array_size(classes); i++) {
        ck_assert_str_eq(wsr_dataset_class_name(dataset, (int64_t)i),
                         json_string_value(json_array_get(classes, i)));
    }
    json_decref(files);
    json_decref(classes);
    wsr__st_free(st);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(pictures_are_decoded_as_pillow_does)
{
    wsr_dataset *const dataset = open_pictures(NULL);
    wsr__st *const st = open_file();
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    for (size_t i = 0; i < wsr_dataset_count(dataset); i++) {
        size_t at = i;
        int worst = 0;
        ck_assert_ok(wsr__image_open(
            &file, wsr__files_path(wsr__files_of(dataset, &at), i)));
        const wsr__image shape = file.super.shape;
        const wsr__window whole = {0, 0, shape.h, shape.w};
        wsr__bitmap want = picture_of(st, (int)i);
        ck_assert_ok(file.super.decode(&image, &file.super, &whole));
        ck_assert_int_eq(want.shape.h, shape.h);
        ck_assert_int_eq(want.shape.w, shape.w);
        for (int64_t k = 0; k < wsr__image_floats(shape); k++) {
            const int d = abs(image.bytes[k] - want.bytes[k]);
            worst = d > worst ? d : worst;
        }
        printf("img%zu.rgb: largest difference %d\n", i, worst);
        ck_assert_int_le(worst, 1);
        wsr__bitmap_free(&want);
    }
    wsr__bitmap_free(&image);
    wsr__image_close(&file);
    wsr__st_free(st);
    wsr_dataset_free(dataset);
}
END_TEST

// From the file to the floats of an evaluation.
START_TEST(evaluations_see_what_torchvision_shows)
{
    static const struct {
        const char *options;
        const char *suffix;
        size_t side;
    } rows[] = {{NULL, "eval224", 224},
                {"size=128,resize=160", "eval128", 128}};
    wsr__st *const st = open_file();
    for (size_t r = 0; r < 2; r++) {
        wsr_dataset *const dataset = open_pictures(rows[r].options);
        const size_t floats = 3 * rows[r].side * rows[r].side;
        float *const have = wsr__alloc(floats, sizeof(*have));
        unsigned char *const want = wsr__alloc(floats, 1);
        for (size_t i = 0; i < wsr_dataset_count(dataset); i++) {
            char name[64];
            double worst = 0;
            (void)snprintf(name, sizeof(name), "img%zu.%s", i, rows[r].suffix);
            ck_assert_ok(wsr_dataset_images(have, dataset, &i, 1));
            ck_assert_ok(wsr__st_read_u8(want, st, name, floats));
            for (size_t k = 0; k < floats; k++) {
                const double d = fabs((double)have[k] * 255 - want[k]);
                worst = d > worst ? d : worst;
            }
            ck_assert_msg(worst <= 1.001, "%s: differs by %g", name, worst);
        }
        wsr__free(have);
        wsr__free(want);
        wsr_dataset_free(dataset);
    }
    wsr__st_free(st);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        short_sides_and_centres_are_those_of_torchvision,
        the_long_side_truncates,
        crops_are_resized_as_torchvision_does,
        files_classes_and_labels_are_in_torchvisions_order,
        pictures_are_decoded_as_pillow_does,
        evaluations_see_what_torchvision_shows,
        NULL,
    };
    return suite_of("golden images", tests);
}
