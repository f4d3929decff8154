// SPDX-License-Identifier: Apache-2.0
//
// Zip archives: what is written comes back, also with deflated members as
// other programs write them, and no truncated or altered archive does harm.

#include "io/zip.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>
#include <zlib.h>

static const char *path_of(const char *name)
{
    static char folder[512];
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("zip"));
    }
    return path_in(folder, name);
}

// Three members: an empty one, one of two pieces, one of a long name.
static bytes written(void)
{
    static const char one[] = "first ";
    static const char two[] = "second";
    wsr__zip_writer *writer = NULL;
    const wsr__zip_piece pieces[] = {{one, 6}, {NULL, 0}, {two, 6}};
    ck_assert_ok(wsr__zip_writer_open(&writer, path_of("a.zip")));
    ck_assert_ok(wsr__zip_writer_add(writer, "a/empty", NULL, 0));
    ck_assert_ok(wsr__zip_writer_add(writer, "a/two", pieces, 3));
    ck_assert_ok(wsr__zip_writer_add(
        writer, "a/a rather long name of a member, \xc3\xa9", pieces, 1));
    ck_assert_ok(wsr__zip_writer_commit(writer));
    wsr__zip_writer_free(writer);
    return get_file(path_of("a.zip"));
}

// Content of a member as text.
static void expect(wsr__zip *zip, const char *name, const char *content)
{
    const unsigned char *data = NULL;
    const wsr__zip_member *const m = wsr__zip_find(zip, name);
    ck_assert_ptr_nonnull(m);
    ck_assert_ok(wsr__zip_read(&data, zip, m));
    ck_assert_uint_eq(m->size, strlen(content));
    ck_assert_int_eq(memcmp(data, content, m->size), 0);
}

START_TEST(what_is_written_comes_back)
{
    wsr__zip *zip = NULL;
    bytes b = written();
    ck_assert_ok(wsr__zip_open(&zip, b.data, b.size, "a.zip"));
    expect(zip, "a/empty", "");
    expect(zip, "a/two", "first second");
    expect(zip, "a/a rather long name of a member, \xc3\xa9", "first ");
    ck_assert_ptr_null(wsr__zip_find(zip, "a"));
    ck_assert_ptr_null(wsr__zip_at(zip, 3));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq((size_t)(wsr__zip_at(zip, i)->data - b.data) % 64, 0);
    }
    wsr__zip_free(zip);
    bytes_free(&b);
}
END_TEST

START_TEST(a_writer_that_is_dropped_leaves_what_was_there)
{
    wsr__zip_writer *writer = NULL;
    bytes before = written();
    ck_assert_ok(wsr__zip_writer_open(&writer, path_of("a.zip")));
    ck_assert_ok(wsr__zip_writer_add(writer, "b", NULL, 0));
    ck_assert_fails(wsr__zip_writer_add(writer, "", NULL, 0), WSR_ARG, "empty");
    wsr__zip_writer_free(writer);
    bytes after = get_file(path_of("a.zip"));
    ck_assert_uint_eq(after.size, before.size);
    ck_assert_int_eq(memcmp(after.data, before.data, after.size), 0);
    bytes_free(&before);
    bytes_free(&after);
}
END_TEST

// ------------------------------------------------- archives of other programs

static void put(bytes *b, uint64_t value, size_t n)
{
    bytes_add(b, &value, n);
}

// What a hand-made archive of one member holds.
typedef struct made {
    const char *name;
    unsigned flags;
    unsigned method;
    uint32_t crc;
    uint64_t packed;
    uint64_t size;
} made;

static void add_common(bytes *b, const made *m, bool directory)
{
    put(b, 20, 2);
    put(b, m->flags, 2);
    put(b, m->method, 2);
    put(b, 0, 4); // time
    // Local headers of PyTorch and of pipes have zeros here.
    put(b, directory ? m->crc : 0, 4);
    put(b, directory ? m->packed : 0, 4);
    put(b, directory ? m->size : 0, 4);
    put(b, strlen(m->name), 2);
    put(b, 0, 2);
}

// `twice`: the directory lists the member again.
static bytes archive(const made *m, const void *data, size_t n, bool twice)
{
    bytes b = {0};
    put(&b, 0x04034b50, 4);
    add_common(&b, m, false);
    bytes_add(&b, m->name, strlen(m->name));
    bytes_add(&b, data, n);
    const size_t begin = b.size;
    for (int i = 0; i <= twice; i++) {
        put(&b, 0x02014b50, 4);
        put(&b, 20, 2);
        add_common(&b, m, true);
        put(&b, 0, 2 + 2 + 2); // comment, disk, attributes
        put(&b, 0, 4);
        put(&b, 0, 4); // place
        bytes_add(&b, m->name, strlen(m->name));
    }
    const size_t size = b.size - begin;
    put(&b, 0x06054b50, 4);
    put(&b, 0, 4);
    put(&b, 1U + twice, 2);
    put(&b, 1U + twice, 2);
    put(&b, size, 4);
    put(&b, begin, 4);
    put(&b, 7, 2);
    bytes_add(&b, "comment", 7);
    return b;
}

static size_t deflated(unsigned char *out, size_t room, const void *data,
                       size_t n)
{
    z_stream z = {0};
    bytes copy = {0};
    bytes_add(&copy, data, n);
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, 0), Z_OK);
    z.next_in = copy.data;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)room;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    const size_t packed = room - z.avail_out;
    deflateEnd(&z);
    bytes_free(&copy);
    return packed;
}

static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static made deflated_text(unsigned char *out, size_t room)
{
    const size_t n = sizeof(text) - 1;
    return (made){.name = "m",
                  .flags = 8,
                  .method = 8,
                  .crc = (uint32_t)crc32_z(0, (const Bytef *)text, n),
                  .packed = deflated(out, room, text, n),
                  .size = n};
}

START_TEST(deflated_members_are_inflated)
{
    unsigned char packed[256];
    const made m = deflated_text(packed, sizeof(packed));
    bytes b = archive(&m, packed, (size_t)m.packed, false);
    wsr__zip *zip = NULL;
    ck_assert_ok(wsr__zip_open(&zip, b.data, b.size, "f"));
    expect(zip, "m", text);
    expect(zip, "m", text); // which is kept
    wsr__zip_free(zip);
    bytes_free(&b);
}
END_TEST

static void expect_refused(const made *m, const void *data, bool twice,
                           wsr_status code, const char *words)
{
    wsr__zip *zip = NULL;
    const unsigned char *content = NULL;
    bytes b = archive(m, data, (size_t)m->packed % 1000, twice);
    wsr_status status = wsr__zip_open(&zip, b.data, b.size, "f.pth");
    if (status == WSR_OK) {
        status = wsr__zip_read(&content, zip, wsr__zip_at(zip, 0));
    }
    ck_assert_int_eq(status, code);
    ck_assert_msg(strstr(wsr_error_detail(), words) != NULL, "%s",
                  wsr_error_detail());
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "f.pth"));
    wsr__zip_free(zip);
    bytes_free(&b);
}

START_TEST(lying_archives_are_refused_in_one_line)
{
    unsigned char packed[256];
    const made good = deflated_text(packed, sizeof(packed));
    made m = good;
    m.size = UINT32_MAX - 1; // 4 GiB of some bytes
    expect_refused(&m, packed, false, WSR_FORMAT, "claims a size");
    m = good;
    m.size++;
    expect_refused(&m, packed, false, WSR_FORMAT, "cannot be inflated");
    m.size -= 2;
    expect_refused(&m, packed, false, WSR_FORMAT, "cannot be inflated");
    m = good;
    m.crc++;
    expect_refused(&m, packed, false, WSR_FORMAT, "checksum");
    m = good;
    m.packed += 1000;
    expect_refused(&m, packed, false, WSR_FORMAT, "leaves the file");
    m = good;
    m.flags = 1;
    expect_refused(&m, packed, false, WSR_UNSUPPORTED, "encrypted");
    m = good;
    m.method = 12;
    expect_refused(&m, packed, false, WSR_UNSUPPORTED, "packed otherwise");
    m = good;
    m.size = UINT32_MAX; // which a 64-bit field would hold
    expect_refused(&m, packed, false, WSR_FORMAT, "64-bit sizes");
    expect_refused(&good, packed, true, WSR_FORMAT, "twice");
    m = good;
    m.name = "";
    expect_refused(&m, packed, false, WSR_FORMAT, "breaks off");
}
END_TEST

START_TEST(members_that_share_their_bytes_are_refused)
{
    static const char big[1000] = "";
    const made m = {.name = "m",
                    .crc = (uint32_t)crc32_z(0, (const Bytef *)big, 1000),
                    .packed = 1000,
                    .size = 1000};
    bytes b = archive(&m, big, 1000, true);
    wsr__zip *zip = NULL;
    ck_assert_fails(wsr__zip_open(&zip, b.data, b.size, "f"), WSR_FORMAT,
                    "overlaps");
    bytes_free(&b);
}
END_TEST

// Whatever the bytes are, reading ends with a status.
static void read_all(const unsigned char *data, size_t size)
{
    wsr__zip *zip = NULL;
    const unsigned char *content = NULL;
    // A block of its own, so that sanitizers see a read behind its end.
    unsigned char *const copy = wsr__alloc_raw(size, 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, size);
    if (wsr__zip_open(&zip, copy, size, "f") == WSR_OK) {
        const wsr__zip_member *m = NULL;
        for (size_t i = 0; (m = wsr__zip_at(zip, i)) != NULL; i++) {
            (void)!wsr__zip_read(&content, zip, m);
        }
    }
    wsr__zip_free(zip);
    wsr__free(copy);
}

START_TEST(truncations_and_altered_bytes_do_no_harm)
{
    bytes b = written();
    for (size_t n = 0; n < b.size; n++) {
        wsr__zip *zip = NULL;
        ck_assert_fails(wsr__zip_open(&zip, b.data, n, "f"), WSR_FORMAT,
                        "truncated");
        read_all(b.data, n);
    }
    for (size_t i = 0; i < b.size; i++) {
        const unsigned char was = b.data[i];
        static const unsigned char others[] = {0, 1, 0x7f, 0x80, 0xff};
        for (size_t k = 0; k < sizeof(others); k++) {
            b.data[i] = others[k];
            read_all(b.data, b.size);
            b.data[i] = (unsigned char)(was ^ (1U << k));
            read_all(b.data, b.size);
        }
        b.data[i] = was;
    }
    bytes_free(&b);
}
END_TEST

// The 64-bit record names itself at a place behind the directory's end, with a
// file that begins as such a record does.
START_TEST(a_64_bit_record_outside_the_file_is_refused)
{
    bytes b = written();
    wsr__zip *zip = NULL;
    uint64_t far = UINT64_MAX / 2;
    memcpy(b.data, "PK\6\6", 4);
    memcpy(b.data + b.size - 22 - 20 + 8, &far, sizeof(far));
    ck_assert_fails(wsr__zip_open(&zip, b.data, b.size, "f"), WSR_FORMAT,
                    "64-bit directory record");
    bytes_free(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        what_is_written_comes_back,
        a_writer_that_is_dropped_leaves_what_was_there,
        deflated_members_are_inflated,
        lying_archives_are_refused_in_one_line,
        members_that_share_their_bytes_are_refused,
        truncations_and_altered_bytes_do_no_harm,
        a_64_bit_record_outside_the_file_is_refused,
        NULL};
    return suite_of("zip", tests);
}
