// SPDX-License-Identifier: Apache-2.0
//
// Expected numbers: torch.optim of PyTorch 1.13.1.

#include "optim/optim_support.h"

START_TEST(momentum_and_decay_are_those_of_pytorch)
{
    CHECK_STEPS("sgd:momentum=0.9,weight_decay=3e-3", 0.168135405F,
                -0.70843488F, 1.84458923F, 0.169651479F);
}
END_TEST

START_TEST(without_momentum_it_is_plain_descent)
{
    CHECK_STEPS("sgd", 0.109999985F, -0.654999971F, 1.92000008F, 0.169949993F);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        momentum_and_decay_are_those_of_pytorch,
        without_momentum_it_is_plain_descent,
        NULL,
    };
    return suite_of("sgd", tests);
}
