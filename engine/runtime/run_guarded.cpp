#include <new>

#include "engine/api/torch.h"
#include "engine/runtime/run_job.h"

namespace espalier::runtime {
namespace {

constexpr const char* kMemoryRemedy = "Use a smaller batch or model, or close other programs";

bool speaksOfMemory(const std::string& text) {
    return text.find("can't allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
}

// First line only: LibTorch puts its C++ stack below.
std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<void> runGuarded(const std::string& where, const std::function<Result<void>()>& body) {
    try {
        return body();
    } catch (const c10::OutOfMemoryError& error) {
        return fail(ErrorCode::OutOfMemory, "the memory of the device is used up", where, kMemoryRemedy, error.what());
    } catch (const c10::Error& error) {
        const auto text = firstLine(error.what_without_backtrace());
        if (speaksOfMemory(text))
            return fail(ErrorCode::OutOfMemory, "the memory is used up", where, kMemoryRemedy, error.what());
        return fail(ErrorCode::Torch, text, where, {}, error.what());
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "the memory is used up", where, kMemoryRemedy);
    } catch (const std::exception& error) {
        if (speaksOfMemory(error.what()))
            return fail(ErrorCode::OutOfMemory, "the memory is used up", where, kMemoryRemedy, error.what());
        return fail(ErrorCode::Internal, std::string("something unexpected happened: ") + firstLine(error.what()),
                    where, {}, error.what());
    } catch (...) {
        return fail(ErrorCode::Internal, "something unexpected happened", where);
    }
}

}  // namespace espalier::runtime
