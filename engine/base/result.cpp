#include "engine/base/result.h"

namespace espalier {

const char* errorCodeName(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::BadInput: return "bad_input";
        case ErrorCode::NotFound: return "not_found";
        case ErrorCode::Unsupported: return "unsupported";
        case ErrorCode::Io: return "io";
        case ErrorCode::Corrupt: return "corrupt";
        case ErrorCode::OutOfMemory: return "out_of_memory";
        case ErrorCode::Numeric: return "numeric";
        case ErrorCode::Torch: return "torch";
        case ErrorCode::Internal: return "internal";
    }
    return "internal";
}

std::string Error::sentence() const {
    const auto isOpen = [](const std::string& part) { return !part.empty() && part.back() != '.' && part.back() != '?'; };
    std::string text;
    if (!where.empty()) text = where + ": ";
    text += what;
    if (!remedy.empty()) {
        if (isOpen(text)) text += '.';
        text += ' ' + remedy;
    }
    if (isOpen(text)) text += '.';
    return text;
}

}  // namespace espalier
