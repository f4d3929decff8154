// SPDX-License-Identifier: Apache-2.0
//
// Messages of programs that serve a model: layout and bounds.

#include "attack/engine/protocol.h"
#include "support/support.h"

#include <string.h>

enum { HEADER = WSR__PROTOCOL_HEADER };

START_TEST(a_header_is_type_number_and_length_little_endian)
{
    unsigned char bytes[HEADER];
    wsr__protocol_header back;
    const wsr__protocol_header header = {WSR__QUERY, 0x01020304, 7,
                                         UINT64_C(0x05060708090a0b0c)};
    wsr__protocol_put(bytes, &header);
    ck_assert_mem_eq(bytes,
                     "WSRQ\x04\x03\x02\x01\x07\0\0\0\0\0\0\0\x0c\x0b\x0a\x09"
                     "\x08\x07\x06\x05",
                     HEADER);
    ck_assert_ok(wsr__protocol_get(&back, bytes));
    ck_assert_int_eq(back.type, WSR__QUERY);
    ck_assert_uint_eq(back.number, header.number);
    ck_assert_uint_eq(back.length, header.length);
}
END_TEST

START_TEST(a_hello_holds_shape_classes_and_name)
{
    static const unsigned char payload[] = "\x03\x00\x00\x00\x20\x00\x00\x00"
                                           "\x40\x00\x00\x00\x0a\x00\x00\x00"
                                           "a\tname";
    wsr__protocol_hello hello;
    ck_assert_ok(wsr__protocol_hello_of(&hello, payload, sizeof(payload) - 1));
    ck_assert_int_eq(hello.channels, 3);
    ck_assert_int_eq(hello.height, 32);
    ck_assert_int_eq(hello.width, 64);
    ck_assert_int_eq(hello.classes, 10);
    ck_assert_str_eq(hello.name, "a?name");
    ck_assert_ok(
        wsr__protocol_hello_of(&hello, payload, WSR__PROTOCOL_NUMBERS));
    ck_assert_str_eq(hello.name, "");
}
END_TEST

START_TEST(lengths_are_checked_before_anything_is_read)
{
    const wsr__protocol_header query = {WSR__QUERY, 3, 9, 0};
    const wsr__protocol_header logits = {WSR__LOGITS, 3, 9, 3 * 10 * 4};
    wsr__protocol_header bad = logits;
    ck_assert_ok(wsr__protocol_check_logits(&logits, &query, 10));
    bad.length--;
    ck_assert_fails(wsr__protocol_check_logits(&bad, &query, 10), WSR_FORMAT,
                    "announces 119 bytes of logits, 3 images of 10 classes "
                    "have 120");
    bad = logits;
    bad.number = 4;
    ck_assert_fails(wsr__protocol_check_logits(&bad, &query, 10), WSR_FORMAT,
                    "answered for 4 images, 3 were sent");
    bad = (wsr__protocol_header){WSR__REFUSAL, 0, 9, WSR__PROTOCOL_MESSAGE + 1};
    ck_assert_fails(wsr__protocol_check_logits(&bad, &query, 10), WSR_FORMAT,
                    "error text of 1025 bytes");
    ck_assert_fails(wsr__protocol_check_hello(&bad), WSR_FORMAT, "error text");
    bad = (wsr__protocol_header){
        WSR__HELLO, 1, 0, WSR__PROTOCOL_NUMBERS + WSR__PROTOCOL_NAME + 1};
    ck_assert_fails(wsr__protocol_check_hello(&bad), WSR_FORMAT,
                    "announces 273 bytes");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_header_is_type_number_and_length_little_endian,
        a_hello_holds_shape_classes_and_name,
        lengths_are_checked_before_anything_is_read, NULL};
    return suite_of("protocol", tests);
}
