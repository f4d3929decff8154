// SPDX-License-Identifier: Apache-2.0
//
// Resized images, as files and back.

#include "onnx/round_trip.h"

// With sizes and with factors.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "resize",
         .options = "size=[9,5],mode=nearest,coordinates=half_pixel"},
        {.op = "resize",
         .options = "size=[9,5],mode=nearest,coordinates=asymmetric"},
        {.op = "resize",
         .options = "size=[9,5],mode=nearest,coordinates=align_corners"},
        {.op = "resize",
         .options = "size=[9,5],mode=nearest,coordinates=pytorch_half_pixel"},
        {.op = "resize",
         .options = "size=[9,5],mode=linear,coordinates=half_pixel"},
        {.op = "resize",
         .options = "size=[9,5],mode=linear,coordinates=asymmetric"},
        {.op = "resize",
         .options = "size=[9,5],mode=linear,coordinates=align_corners"},
        {.op = "resize",
         .options = "size=[9,5],mode=linear,coordinates=pytorch_half_pixel"},
        {.op = "resize",
         .options = "scale=2,mode=nearest,coordinates=half_pixel"},
        {.op = "resize",
         .options = "scale=2,mode=nearest,coordinates=asymmetric"},
        {.op = "resize",
         .options = "scale=2,mode=nearest,coordinates=align_corners"},
        {.op = "resize",
         .options = "scale=2,mode=nearest,coordinates=pytorch_half_pixel"},
        {.op = "resize",
         .options = "scale=2,mode=linear,coordinates=half_pixel"},
        {.op = "resize",
         .options = "scale=2,mode=linear,coordinates=asymmetric"},
        {.op = "resize",
         .options = "scale=2,mode=linear,coordinates=align_corners"},
        {.op = "resize",
         .options = "scale=2,mode=linear,coordinates=pytorch_half_pixel"},
        {.op = "resize",
         .options = "scale=[1.7,0.6],mode=nearest,coordinates=half_pixel"},
        {.op = "resize",
         .options = "scale=[1.7,0.6],mode=nearest,coordinates=asymmetric"},
        {.op = "resize",
         .options = "scale=[1.7,0.6],mode=nearest,coordinates=align_corners"},
        {.op = "resize",
         .options =
             "scale=[1.7,0.6],mode=nearest,coordinates=pytorch_half_pixel"},
        {.op = "resize",
         .options = "scale=[1.7,0.6],mode=linear,coordinates=half_pixel"},
        {.op = "resize",
         .options = "scale=[1.7,0.6],mode=linear,coordinates=asymmetric"},
        {.op = "resize",
         .options = "scale=[1.7,0.6],mode=linear,coordinates=align_corners"},
        {.op = "resize",
         .options =
             "scale=[1.7,0.6],mode=linear,coordinates=pytorch_half_pixel"},
        {.op = "resize",
         .options = "size=[9,5],coordinates=asymmetric,nearest=floor"},
        {.op = "resize",
         .options = "size=[9,5],coordinates=asymmetric,nearest=ceil"},
        {.op = "resize",
         .options =
             "size=[9,5],coordinates=asymmetric,nearest=round_prefer_ceil"}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits, NULL};
    return suite_of("onnx resizes", tests);
}
