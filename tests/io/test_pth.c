// SPDX-License-Identifier: Apache-2.0
//
// Files of torch.save: state dicts in both formats, of hand-made pickles, and
// what is written and read back. tests/io/pth.py compares with PyTorch itself.

#include "io/format.h"
#include "io/pickle.h"
#include "support/files.h"
#include "support/support.h"
#include "wsr/net.h"

#include <string.h>

static const char *path_of(const char *name)
{
    static char folder[512];
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("pth"));
    }
    return path_in(folder, name);
}

// The pickle of a tensor of a FloatStorage "0" of six elements, with offset,
// size and stride of two dimensions.
#define STORAGE                                        \
    "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" \
    "0X\3\0\0\0cpuK\6tQ"
#define TENSOR(offset, rows, columns, down, right)                     \
    "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K" offset "K" rows \
    "K" columns "\x86K" down "K" right "\x86\x89"                      \
    "ccollections\nOrderedDict\n)RtR"
#define KEY(letter) "X\1\0\0\0" letter

static const float six[] = {1, 2, 3, 4, 5, 6};

static bytes archive(const void *pickle, size_t n, const char *order,
                     const void *data)
{
    wsr__zip_writer *writer = NULL;
    const wsr__zip_piece pieces[] = {
        {pickle, n}, {order, strlen(order)}, {data, sizeof(six)}};
    ck_assert_ok(wsr__zip_writer_open(&writer, path_of("a.pth")));
    ck_assert_ok(wsr__zip_writer_add(writer, "x/data.pkl", &pieces[0], 1));
    ck_assert_ok(wsr__zip_writer_add(writer, "x/byteorder", &pieces[1], 1));
    ck_assert_ok(wsr__zip_writer_add(writer, "x/data/0", &pieces[2], 1));
    ck_assert_ok(wsr__zip_writer_commit(writer));
    wsr__zip_writer_free(writer);
    return get_file(path_of("a.pth"));
}

static wsr_status open_pickle(wsr__st **st, const void *pickle, size_t n)
{
    bytes b = archive(pickle, n, "little", six);
    const wsr_status status = wsr__st_open_memory(st, b.data, b.size, "a.pth");
    bytes_free(&b);
    return status;
}

static void expect(const wsr__st *st, const char *name, const float *want,
                   size_t n)
{
    float values[6];
    ck_assert_ok(wsr__st_read_f32(values, st, name, n));
    ck_assert_int_eq(memcmp(values, want, n * sizeof(*want)), 0);
}

#define OPEN(st, pickle) open_pickle(st, pickle, sizeof(pickle) - 1)

START_TEST(views_of_storages_are_read)
{
    static const float turned[] = {1, 4, 2, 5, 3, 6};
    wsr__st *st = NULL;
    ck_assert_ok(OPEN(&st,
                      "\x80\2}(" KEY("a") TENSOR("\0", "\2", "\3", "\3", "\1")
                          KEY("b") TENSOR("\0", "\3", "\2", "\1", "\3") KEY("c")
                              TENSOR("\4", "\1", "\2", "\2", "\1") "u."));
    ck_assert_uint_eq(wsr__st_count(st), 3);
    expect(st, "a", six, 6);
    expect(st, "b", turned, 6);
    expect(st, "c", six + 4, 2);
    wsr__st_free(st);
}
END_TEST

START_TEST(big_endian_storages_are_turned_round)
{
    static const char pickle[] = "\x80\2}(" KEY("a")
        TENSOR("\0", "\1", "\1", "\1", "\1") "u.";
    static const unsigned char data[24] = {0xc0, 0x20, 0, 0};
    const float want = -2.5F;
    wsr__st *st = NULL;
    bytes b = archive(pickle, sizeof(pickle) - 1, "big", data);
    ck_assert_ok(wsr__st_open_memory(&st, b.data, b.size, "a.pth"));
    expect(st, "a", &want, 1);
    wsr__st_free(st);
    bytes_free(&b);
    b = archive(pickle, sizeof(pickle) - 1, "middle", data);
    ck_assert_fails(wsr__st_open_memory(&st, b.data, b.size, "a.pth"),
                    WSR_FORMAT, "neither little nor big");
    bytes_free(&b);
}
END_TEST

#define ONE TENSOR("\0", "\2", "\3", "\3", "\1")

START_TEST(state_dicts_are_found_in_checkpoints)
{
    wsr__st *st = NULL;
    // What stands beside it is read over: a Namespace with attributes.
    ck_assert_ok(OPEN(
        &st,
        "\x80\2}(" KEY("e") "K\3" KEY("n") "cargparse\nNamespace\n)\x81}(" KEY(
            "l") "G\0\0"
                 "\0\0\0\0\0\0ub"
                 "X\5\0\0\0model}(" KEY("a") ONE "uX\x9\0\0\0optimizer}(K\0" ONE
                                                 "uu."));
    ck_assert_uint_eq(wsr__st_count(st), 1);
    expect(st, "a", six, 6);
    wsr__st_free(st);
    // The plain one goes before the averaged one.
    ck_assert_ok(OPEN(&st, "\x80\2}("
                           "X\3\0\0\0ema}(" KEY("b") ONE
                      "uX\x3\0\0\0net}(" KEY("a") ONE "uu."));
    expect(st, "a", six, 6);
    wsr__st_free(st);
    ck_assert_ok(OPEN(&st, "\x80\2}("
                           "X\3\0\0\0foo}(" KEY("b") ONE "uu."));
    expect(st, "b", six, 6);
    wsr__st_free(st);
    ck_assert_fails(OPEN(&st, "\x80\2}(" KEY("f") "}(" KEY("b") ONE
                         "u" KEY("g") "}(" KEY("b") ONE "uu."),
                    WSR_FORMAT, "holds no state dict, or several");
    ck_assert_fails(OPEN(&st, "\x80\2K\1."), WSR_FORMAT, "no state dict");
}
END_TEST

// A checkpoint with averaged weights: "a" of 1, 2, ... and "b" of its end.
#define HALF TENSOR("\3", "\1", "\3", "\3", "\1")
#define BOTH(plain, average)                                            \
    "\x80\2}(X" plain "}(" KEY("a") ONE "uX" average "}(" KEY("a") HALF \
        "uX\5\0\0\0epochK\3u."

static void open_part(const char *part, size_t n, const float *want,
                      const char *pickle, size_t size)
{
    char path[600];
    wsr__st *st = NULL;
    bytes b = archive(pickle, size, "little", six);
    (void)snprintf(path, sizeof(path), "%s%s", path_of("a.pth"), part);
    ck_assert_ok(wsr__st_open(&st, path));
    expect(st, "a", want, n);
    wsr__st_free(st);
    bytes_free(&b);
}

static void keep_line(wsr_log_level level, const char *line, void *user)
{
    (void)level;
    (void)snprintf(user, 600, "%s", line);
}

START_TEST(averaged_weights_are_read_where_the_path_asks_for_them)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *plain;
        const char *average;
    } files[] = {
#define ROW(n, plain, m, average)                \
    {BOTH(n "\0\0\0" plain, m "\0\0\0" average), \
     sizeof(BOTH(n "\0\0\0" plain, m "\0\0\0" average)) - 1, plain, average}
        ROW("\5", "model", "\x9", "model_ema"),
        ROW("\x0a", "state_dict", "\x0e", "state_dict_ema"),
        ROW("\x0a", "state_dict", "\x0e", "ema_state_dict"),
        ROW("\6", "module", "\x0a", "module_ema"),
        ROW("\3", "net", "\3", "ema"),
    };
    char line[600] = "";
    wsr_set_log_hook(keep_line, line);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char part[64];
        char words[80];
        open_part("", 6, six, files[i].bytes, files[i].size);
        (void)snprintf(words, sizeof(words), "weights of '%s'; '%s' are read",
                       files[i].plain, files[i].average);
        ck_assert_msg(strstr(line, words) != NULL, "%s", line);
        ck_assert_ptr_nonnull(strstr(line, "#ema"));
        open_part("#ema", 3, six + 3, files[i].bytes, files[i].size);
        (void)snprintf(words, sizeof(words), "weights of '%s'; '%s' are read",
                       files[i].average, files[i].plain);
        ck_assert_msg(strstr(line, words) != NULL ||
                          strcmp(files[i].average, "ema") == 0,
                      "%s", line);
        (void)snprintf(part, sizeof(part), "#%s", files[i].average);
        open_part(part, 3, six + 3, files[i].bytes, files[i].size);
        (void)snprintf(part, sizeof(part), "#%s", files[i].plain);
        open_part(part, 6, six, files[i].bytes, files[i].size);
        open_part("#model", 6, six, files[i].bytes, files[i].size);
    }
    wsr_set_log_hook(NULL, NULL);
}
END_TEST

START_TEST(parts_that_are_not_there_are_refused)
{
    static const char one[] = "\x80\2}(" KEY("a") ONE "u.";
    wsr__st *st = NULL;
    char path[600];
    bytes b = archive(one, sizeof(one) - 1, "little", six);
    (void)snprintf(path, sizeof(path), "%s#ema", path_of("a.pth"));
    ck_assert_fails(wsr__st_open(&st, path), WSR_FORMAT,
                    "holds no state dict 'ema'");
    bytes_free(&b);
    wsr__st_builder *builder = NULL;
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_write(builder, path_of("c.safetensors")));
    wsr__st_builder_free(builder);
    (void)snprintf(path, sizeof(path), "%s#ema", path_of("c.safetensors"));
    ck_assert_fails(wsr__st_open(&st, path), WSR_FORMAT, "has no parts");
    // A file of the very name goes first.
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__st_write(builder, path));
    wsr__st_builder_free(builder);
    ck_assert_ok(wsr__st_open(&st, path));
    wsr__st_free(st);
}
END_TEST

// Version 3 has the type of the elements beside a storage of bytes.
#define BYTES_STORAGE                                            \
    "(X\7\0\0\0storagectorch.storage\nUntypedStorage\nX\1\0\0\0" \
    "0X\3\0\0\0cpuK\x18tQ"
#define TENSOR3(type, offset, rows, columns)                                 \
    "ctorch._utils\n_rebuild_tensor_v3\n(" BYTES_STORAGE "K" offset "K" rows \
    "K" columns "\x86K" columns "K\1\x86\x89"                                \
    "ccollections\nOrderedDict\n)Rctorch\n" type "\ntR"

START_TEST(tensors_of_version_3_are_read_or_refused_by_name)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *type;
    } refused[] = {
#define TYPE(type)                                                         \
    {"\x80\2}(" KEY("a") TENSOR3(type, "\0", "\2", "\1") "u.",             \
     sizeof("\x80\2}(" KEY("a") TENSOR3(type, "\0", "\2", "\1") "u.") - 1, \
     type}
        TYPE("float8_e4m3fn"), TYPE("float8_e5m2"), TYPE("float8_e4m3fnuz"),
        TYPE("uint16"),        TYPE("uint32"),      TYPE("uint64"),
    };
    wsr__st *st = NULL;
    ck_assert_ok(OPEN(&st, "\x80\2}(" KEY("a")
                               TENSOR3("float32", "\1", "\1", "\3") "u."));
    expect(st, "a", six + 1, 3);
    wsr__st_free(st);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        char words[80];
        (void)snprintf(words, sizeof(words), "'a' has the type %s; supported",
                       refused[i].type);
        ck_assert_fails(open_pickle(&st, refused[i].bytes, refused[i].size),
                        WSR_UNSUPPORTED, words);
    }
    ck_assert_fails(OPEN(&st, "\x80\2}(" KEY("a")
                                  TENSOR3("float32", "\1", "\2", "\3") "u."),
                    WSR_FORMAT, "'a' lies outside of its storage");
}
END_TEST

#define NARROW(storage)                                                  \
    "\x80\2}(" KEY("a") "ctorch._utils\n_rebuild_tensor_v2\n(("          \
                        "X\7\0\0\0storagectorch\n" storage "\nX\1\0\0\0" \
                        "0X\3\0\0\0cpuK\6tQK\0K\2K\1\x86K\1K\1\x86\x89"  \
                        "ccollections\nOrderedDict\n)RtRu."

START_TEST(integers_of_8_and_16_bits_are_refused_by_name)
{
    wsr__st *st = NULL;
    ck_assert_fails(OPEN(&st, NARROW("CharStorage")), WSR_UNSUPPORTED,
                    "'a' has the type int8; supported");
    ck_assert_fails(OPEN(&st, NARROW("ShortStorage")), WSR_UNSUPPORTED,
                    "'a' has the type int16; supported");
    ck_assert_ok(OPEN(&st, NARROW("ByteStorage")));
    wsr__st_free(st);
}
END_TEST

START_TEST(everything_else_is_refused_in_one_line)
{
    wsr__st *st = NULL;
    ck_assert_fails(OPEN(&st, "\x80\2cposix\nsystem\nX\2\0\0\0ls\x85R."),
                    WSR_FORMAT,
                    "a.pth: pickle refers to posix.system, which is no part");
    ck_assert_fails(OPEN(&st, "\x80\4\x8c\2os\x8c\6system\x93)R."), WSR_FORMAT,
                    "os.system");
    ck_assert_fails(OPEN(&st, "\x80\2cbuiltins\neval\nX\1\0\0\0001\x85R."),
                    WSR_FORMAT, "builtins.eval");
    ck_assert_fails(OPEN(&st, "\x80\2ca\nb\x1b[0mc\n."), WSR_FORMAT,
                    "a.b?[0mc");
    ck_assert_fails(OPEN(&st, "\x80\2(ios\nsystem\n."), WSR_FORMAT,
                    "opcode 0x69 at byte 3");
    ck_assert_fails(OPEN(&st, "\x80\2}(" KEY("a")
                                  TENSOR("\1", "\2", "\3", "\3", "\1") "u."),
                    WSR_FORMAT, "tensor 'a' lies outside of its storage");
    ck_assert_fails(OPEN(&st, "\x80\2}(" KEY("a") ONE KEY("a") ONE "u."),
                    WSR_FORMAT, "two tensors have the name 'a'");
    ck_assert_fails(OPEN(&st, "\x80\2}(" KEY("\n") ONE "u."), WSR_FORMAT,
                    "control characters");
    ck_assert_fails(OPEN(&st, "\x80\2r\xff\xff\xff\xff."), WSR_FORMAT,
                    "a value is missing");
    ck_assert_fails(OPEN(&st, "\x80\2Nr\xff\xff\xff\xff."), WSR_FORMAT, "memo");
    ck_assert_fails(OPEN(&st, "\x80\2X\xff\xff\xff\x7f."), WSR_FORMAT,
                    "breaks off");
}
END_TEST

// A list that holds itself, and is no state dict.
START_TEST(cycles_end)
{
    wsr__st *st = NULL;
    ck_assert_fails(OPEN(&st, "\x80\2]q\0h\0a."), WSR_FORMAT, "no state dict");
    ck_assert_fails(OPEN(&st, "\x80\2}q\0X\5\0\0\0modelh\0s."), WSR_FORMAT,
                    "no state dict");
}
END_TEST

// ------------------------------------------------------------ the old format

static bytes legacy(const char *key)
{
    static const char head[] =
        "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.\x80\2}."
        "\x80\2}(" KEY("a") TENSOR("\2", "\2", "\2", "\2", "\1") "u.\x80\2]";
    const int64_t numel = 6;
    bytes b = {0};
    bytes_add(&b, head, sizeof(head) - 1);
    bytes_add(&b, "X\1\0\0\0", 5);
    bytes_add(&b, key, 1);
    bytes_add(&b, "a.", 2);
    bytes_add(&b, &numel, sizeof(numel));
    bytes_add(&b, six, sizeof(six));
    return b;
}

START_TEST(the_old_format_is_read)
{
    wsr__st *st = NULL;
    bytes b = legacy("0");
    ck_assert_ok(wsr__st_open_memory(&st, b.data, b.size, "a.pth"));
    expect(st, "a", six + 2, 4);
    wsr__st_free(st);
    bytes_free(&b);
    b = legacy("1");
    ck_assert_fails(wsr__st_open_memory(&st, b.data, b.size, "a.pth"),
                    WSR_FORMAT, "a storage at byte");
    bytes_free(&b);
}
END_TEST

// ------------------------------------------------------------------- damage

// What is altered may still be read; a failure has one line.
static void open_altered(const bytes *b)
{
    wsr__st *st = NULL;
    if (wsr__st_open_memory(&st, b->data, b->size, "a.pth") == WSR_OK) {
        wsr__st_free(st);
    } else {
        ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    }
}

static void damage(const bytes *b)
{
    wsr__st *st = NULL;
    for (size_t n = 0; n < b->size; n++) {
        ck_assert_int_ne(wsr__st_open_memory(&st, b->data, n, "a.pth"), WSR_OK);
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "a.pth"));
        ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    }
    for (size_t i = 0; i < b->size; i++) {
        const unsigned char was = b->data[i];
        for (unsigned k = 0; k < 9; k++) {
            b->data[i] = (unsigned char)(k < 8 ? was ^ (1U << k) : 0xff);
            open_altered(b);
        }
        b->data[i] = was;
    }
}

// The bare pickle too, since an archive's checksum finds most changes first.
START_TEST(truncations_and_altered_bytes_do_no_harm)
{
    static const char pickle[] = "\x80\2}(" KEY("a")
        TENSOR("\0", "\3", "\2", "\1", "\3") "u.";
    const size_t size = sizeof(pickle) - 1;
    bytes b = archive(pickle, size, "little", six);
    bytes old = legacy("0");
    damage(&b);
    damage(&old);
    for (size_t i = 0; i < size; i++) {
        for (unsigned k = 0; k < 256; k++) {
            char altered[sizeof(pickle)];
            wsr__pickle p = {0};
            memcpy(altered, pickle, sizeof(pickle));
            altered[i] = (char)k;
            (void)!wsr__pickle_read(&p, (unsigned char *)altered, size, "f");
            wsr__pickle_free(&p);
            (void)!wsr__pickle_read(&p, (unsigned char *)altered, i, "f");
            wsr__pickle_free(&p);
        }
    }
    bytes_free(&b);
    bytes_free(&old);
}
END_TEST

// ------------------------------------------------------------------ networks

START_TEST(networks_come_back_with_their_description)
{
    wsr_net *net = NULL;
    wsr_net *again = NULL;
    char *texts[2] = {NULL};
    ck_assert_ok(
        wsr_net_new_kind(&net, "resnet", "width=2,image_size=64,mean=0.5", 3));
    ck_assert_ok(wsr_net_save(net, path_of("net.pth")));
    ck_assert_ok(wsr_net_load(&again, path_of("net.pth"), NULL));
    ck_assert_ok(wsr_net_describe(&texts[0], net));
    ck_assert_ok(wsr_net_describe(&texts[1], again));
    ck_assert_str_eq(texts[0], texts[1]);
    ck_assert_int_eq(wsr_net_image(again)->dims[2], 64);
    wsr_text_free(texts[0]);
    wsr_text_free(texts[1]);
    wsr_net_free(again);
    ck_assert_ok(wsr_net_load_params(net, path_of("net.pth")));
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        views_of_storages_are_read,
        big_endian_storages_are_turned_round,
        state_dicts_are_found_in_checkpoints,
        averaged_weights_are_read_where_the_path_asks_for_them,
        parts_that_are_not_there_are_refused,
        tensors_of_version_3_are_read_or_refused_by_name,
        integers_of_8_and_16_bits_are_refused_by_name,
        everything_else_is_refused_in_one_line,
        cycles_end,
        the_old_format_is_read,
        truncations_and_altered_bytes_do_no_harm,
        networks_come_back_with_their_description,
        NULL};
    return suite_of("pth", tests);
}
