// SPDX-License-Identifier: Apache-2.0
//
// Expected numbers: torch.optim of PyTorch 1.13.1.

#include "optim/optim_support.h"

START_TEST(the_steps_are_those_of_pytorch)
{
    CHECK_STEPS("adam:beta1=0.5,weight_decay=1e-3", 0.261179388F, -1.00018513F,
                1.70538771F, 0.0765761733F);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_steps_are_those_of_pytorch,
        NULL,
    };
    return suite_of("adam", tests);
}
