#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace espalier {

/// What kind of trouble an Error is. Nine, so that every reader can handle all of them.
enum class ErrorCode { BadInput, NotFound, Unsupported, Io, Corrupt, OutOfMemory, Numeric, Torch, Internal };

/// Stable lower-case name of a code, as it stands in `--json` output ("bad_input", "not_found", …).
const char* errorCodeName(ErrorCode code) noexcept;

/// One failure, told once. `what` is one sentence a user can act on, `where` the file, member or parameter,
/// `remedy` what to do next (may be empty), `detail` raw text such as a backtrace (never shown first).
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string what;
    std::string where;
    std::string remedy;
    std::string detail;

    /// "WHERE: WHAT. REMEDY." with the empty parts left out.
    std::string sentence() const;
};

/// Value or Error. The names are those of std::expected.
template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string what, std::string where = {}, std::string remedy = {},
                                  std::string detail = {}) {
    return tl::unexpected<Error>(
        Error{code, std::move(what), std::move(where), std::move(remedy), std::move(detail)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace espalier

#define ESPALIER_CONCAT_INNER(a, b) a##b
#define ESPALIER_CONCAT(a, b) ESPALIER_CONCAT_INNER(a, b)

/// `ESPALIER_TRY(auto x, expr)` binds the value of a Result or returns its Error to the caller.
#define ESPALIER_TRY(declaration, expression)                                          \
    auto ESPALIER_CONCAT(espalierTry, __LINE__) = (expression);                        \
    if (!ESPALIER_CONCAT(espalierTry, __LINE__))                                       \
        return ::espalier::fail(std::move(ESPALIER_CONCAT(espalierTry, __LINE__)).error()); \
    declaration = std::move(*ESPALIER_CONCAT(espalierTry, __LINE__))

/// `ESPALIER_CHECK_OK(expr)` returns the Error of a Result<void> (or any Result) to the caller.
#define ESPALIER_CHECK_OK(expression)                                       \
    do {                                                                    \
        auto espalierChecked = (expression);                                \
        if (!espalierChecked) return ::espalier::fail(std::move(espalierChecked).error()); \
    } while (false)
