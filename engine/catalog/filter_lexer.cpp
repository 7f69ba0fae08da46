#include "engine/catalog/filter_lexer.h"

namespace espalier::catalog {
namespace {

constexpr std::size_t kMaxFilterBytes = 4096;
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kOperatorChars = "=!<>~";

bool isIn(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

/// `at` is the opening quote; afterwards it is behind the closing one.
Result<std::string> quotedText(std::string_view filter, std::size_t& at) {
    const auto open = at;
    const char quote = filter[at++];
    std::string text;
    for (; at < filter.size() && filter[at] != quote; ++at) {
        if (filter[at] == '\\' && at + 1 < filter.size()) ++at;
        text += filter[at];
    }
    if (at == filter.size())
        return fail(filterMistake(open + 1, "the quoted text does not end", std::string("Add a closing ") + quote));
    ++at;
    return text;
}

Result<std::string> operatorText(std::string_view filter, std::size_t& at) {
    const auto start = at;
    std::string text(1, filter[at++]);
    if (text != "~" && at < filter.size() && filter[at] == '=') text += filter[at++];
    if (text == "==") text = "=";
    if (text == "!")
        return fail(filterMistake(start + 1, "\"!\" alone is no comparison", "Write != for unequal, or the word not"));
    return text;
}

}  // namespace

Error filterMistake(std::size_t position, std::string what, std::string remedy) {
    return {ErrorCode::BadInput, std::move(what), "filter, character " + std::to_string(position), std::move(remedy), {}};
}

Result<std::vector<FilterToken>> filterTokens(std::string_view filter) {
    using Kind = FilterToken::Kind;
    if (filter.size() > kMaxFilterBytes)
        return fail(filterMistake(kMaxFilterBytes + 1, "the filter is longer than 4096 characters", "Shorten it"));
    std::vector<FilterToken> tokens;
    for (std::size_t at = 0; at < filter.size();) {
        const char c = filter[at];
        const auto position = at + 1;
        if (isIn(kSpace, c)) {
            ++at;
        } else if (c == '(' || c == ')') {
            tokens.push_back({c == '(' ? Kind::Open : Kind::Close, std::string(1, c), position});
            ++at;
        } else if (c == '"' || c == '\'') {
            ESPALIER_TRY(auto text, quotedText(filter, at));
            tokens.push_back({Kind::Quoted, std::move(text), position});
        } else if (isIn(kOperatorChars, c)) {
            ESPALIER_TRY(auto text, operatorText(filter, at));
            tokens.push_back({Kind::Operator, std::move(text), position});
        } else {
            const auto start = at;
            while (at < filter.size() && !isIn(kSpace, filter[at]) && !isIn(kOperatorChars, filter[at]) &&
                   !isIn("()\"'", filter[at]))
                ++at;
            tokens.push_back({Kind::Word, std::string(filter.substr(start, at - start)), position});
        }
    }
    tokens.push_back({Kind::End, {}, filter.size() + 1});
    return tokens;
}

}  // namespace espalier::catalog
