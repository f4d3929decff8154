// SPDX-License-Identifier: Apache-2.0
//
// The one file in C++, see dnnl_guard.h. Catching is not enough: oneDNN asks
// for memory inside OpenMP regions too, which no exception can leave. While it
// runs, a reserve is held that operator new falls back on. Its hook for this,
// the handler of std::set_new_handler, belongs to the program and is given back
// when oneDNN returns.

#include "kernel/dnnl_guard.h"

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <mutex>
#include <new>

namespace
{

// Lists of arguments and closures, hundreds of bytes each.
const std::size_t reserve_size = std::size_t{1} << 16;

std::mutex lock;
std::atomic<void *> reserve{nullptr};
unsigned inside = 0;               // calls under way
std::new_handler others = nullptr; // handler of the program, while inside

// Called by operator new, in any thread, when memory is short.
void use_reserve()
{
    void *const block = reserve.exchange(nullptr);
    if (block != nullptr) {
        ::operator delete(block);
    } else if (others != nullptr) {
        others();
    } else {
        throw std::bad_alloc();
    }
}

bool have_reserve()
{
    if (reserve == nullptr) {
        reserve = ::operator new(reserve_size, std::nothrow);
    }
    return reserve != nullptr;
}

// The first exception that leaves a std::call_once, as oneDNN's may, has the C
// library load what unwinds it, and end the process if there is no memory for
// that. So the first is thrown here, early.
void rehearse()
{
    static bool done = false;
    if (!done) {
        std::once_flag once;
        try {
            std::call_once(once, [] { throw std::bad_alloc(); });
        } catch (const std::bad_alloc &) {
            done = true;
        }
    }
}

bool enter()
{
    const std::lock_guard<std::mutex> guard(lock);
    if (!have_reserve()) {
        return false;
    }
    rehearse();
    if (inside == 0) {
        others = std::set_new_handler(use_reserve);
    }
    inside++;
    return true;
}

void leave()
{
    const std::lock_guard<std::mutex> guard(lock);
    inside--;
    if (inside == 0 && std::get_new_handler() == use_reserve) {
        (void)std::set_new_handler(others);
    }
    (void)have_reserve();
}

void say(char what[WSR__WHAT], const char *text)
{
    (void)std::snprintf(what, WSR__WHAT, "%s", text);
}

} // namespace

wsr_status wsr__dnnl_guard(wsr_status (*call)(void *ctx), void *ctx,
                           char what[WSR__WHAT])
{
    wsr_status status = WSR_NOMEM;
    if (!enter()) {
        say(what, "no reserve can be had");
        return status;
    }
    try {
        status = call(ctx);
    } catch (const std::bad_alloc &e) {
        say(what, e.what());
    } catch (const std::exception &e) {
        say(what, e.what());
        status = WSR_BACKEND;
    } catch (...) {
        say(what, "unknown exception");
        status = WSR_BACKEND;
    }
    leave();
    return status;
}
