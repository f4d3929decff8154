// SPDX-License-Identifier: Apache-2.0
//
// Expected numbers: torch.optim of PyTorch 1.13.1.

#include "optim/optim_support.h"

START_TEST(the_steps_are_those_of_pytorch)
{
    CHECK_STEPS("adamw:weight_decay=0.1", 0.332165182F, -1.03742361F,
                1.62635398F, 0.0804415718F);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_steps_are_those_of_pytorch,
        NULL,
    };
    return suite_of("adamw", tests);
}
