// SPDX-License-Identifier: Apache-2.0
//
// Main program of every test. Tests run in this process, not in children
// (unless CK_FORK says otherwise): a pool of OpenMP threads that was started
// before a fork does not exist in the child, where the next parallel loop
// would wait for it forever. A crash therefore ends the whole program, which
// ctest reports; every source file has a program of its own.

#include "support/support.h"

#include <stdlib.h>

int main(void)
{
    SRunner *const runner = srunner_create(suite());
    if (getenv("CK_FORK") == NULL) {
        srunner_set_fork_status(runner, CK_NOFORK);
    }
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
