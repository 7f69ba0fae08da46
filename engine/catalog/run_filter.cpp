#include "engine/catalog/run_filter.h"

#include "engine/catalog/filter_keys.h"
#include "engine/catalog/filter_lexer.h"

namespace espalier::catalog {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxTerms = 300;  // SQLite allows expressions 1,000 levels deep

/// Recursive descent over: or-list → and-list → [not] term. Words side by side mean "and".
class Parser {
public:
    Parser(std::vector<FilterToken> tokens, CompiledFilter& compiled)
        : m_tokens(std::move(tokens)), m_compiled(compiled) {}

    Result<SqlPiece> parse() {
        if (peek().kind == FilterToken::Kind::End) return SqlPiece{"1", {}};
        ESPALIER_TRY(auto piece, alternatives(0));
        if (peek().kind == FilterToken::Kind::Close)
            return fail(filterMistake(peek().position, "\")\" closes nothing", "Remove it or add a \"(\""));
        return piece;
    }

private:
    const FilterToken& peek(std::size_t ahead = 0) const {
        return m_tokens[std::min(m_at + ahead, m_tokens.size() - 1)];
    }
    FilterToken take() { return m_tokens[std::min(m_at++, m_tokens.size() - 1)]; }
    bool isKeyword(const char* word) const {
        // "and = 3" compares a parameter called "and"; a keyword is never followed by an operator.
        return peek().kind == FilterToken::Kind::Word && peek().text == word &&
               peek(1).kind != FilterToken::Kind::Operator;
    }
    static void append(SqlPiece& left, const char* word, const SqlPiece& right) {
        left.sql += word + right.sql;
        left.values.insert(left.values.end(), right.values.begin(), right.values.end());
    }

    Result<SqlPiece> alternatives(int depth) {
        if (depth > kMaxDepth)
            return fail(filterMistake(peek().position, "brackets are nested more than 64 deep", "Simplify the filter"));
        ESPALIER_TRY(auto left, conjunction(depth));
        while (isKeyword("or")) {
            take();
            ESPALIER_TRY(const auto right, conjunction(depth));
            append(left, " OR ", right);
        }
        left.sql = "(" + left.sql + ")";
        return left;
    }

    Result<SqlPiece> conjunction(int depth) {
        ESPALIER_TRY(auto left, negation(depth));
        while (peek().kind != FilterToken::Kind::End && peek().kind != FilterToken::Kind::Close && !isKeyword("or")) {
            if (isKeyword("and")) take();
            ESPALIER_TRY(const auto right, negation(depth));
            append(left, " AND ", right);
        }
        return left;
    }

    Result<SqlPiece> negation(int depth) {
        bool isNegated = false;
        for (; isKeyword("not"); take()) isNegated = !isNegated;
        ESPALIER_TRY(auto piece, term(depth));
        if (isNegated) piece.sql = "NOT " + piece.sql;
        return piece;
    }

    Result<SqlPiece> term(int depth) {
        using Kind = FilterToken::Kind;
        if (++m_terms > kMaxTerms)
            return fail(filterMistake(peek().position, "the filter has more than 300 conditions", "Shorten it"));
        if (isKeyword("and") || isKeyword("or"))
            return fail(filterMistake(peek().position, "a condition is missing before \"" + peek().text + "\""));
        const auto token = take();
        switch (token.kind) {
            case Kind::Open: {
                ESPALIER_TRY(auto piece, alternatives(depth + 1));
                if (peek().kind != Kind::Close)
                    return fail(filterMistake(token.position, "\"(\" is not closed", "Add a \")\""));
                take();
                return piece;
            }
            case Kind::Operator:
                return fail(filterMistake(token.position, "\"" + token.text + "\" has no key before it",
                                          "Write KEY " + token.text + " VALUE"));
            case Kind::Close: return fail(filterMistake(token.position, "a condition is missing before \")\""));
            case Kind::End: return fail(filterMistake(token.position, "the filter ends where a condition is expected"));
            default: break;
        }
        if (peek().kind != Kind::Operator) return searchSql(token.text);
        const auto op = take();
        const auto value = peek();
        if (value.kind != Kind::Word && value.kind != Kind::Quoted)
            return fail(filterMistake(value.position, "a value is missing after \"" + token.text + ' ' + op.text + "\""));
        take();
        ESPALIER_TRY(auto piece, compareSql(token, op.text, value, m_compiled));
        piece.sql = "(" + piece.sql + ")";
        return piece;
    }

    std::vector<FilterToken> m_tokens;
    CompiledFilter& m_compiled;
    std::size_t m_at = 0, m_terms = 0;
};

Result<void> compileSort(std::string_view sort, CompiledFilter& compiled) {
    for (std::size_t from = 0; from < sort.size();) {
        const auto end = std::min(sort.find(',', from), sort.size());
        auto key = sort.substr(from, end - from);
        while (!key.empty() && key.front() == ' ') key.remove_prefix(1);
        while (!key.empty() && key.back() == ' ') key.remove_suffix(1);
        from = end + 1;
        const bool isDescending = key.starts_with('-');
        if (isDescending) key.remove_prefix(1);
        if (key.empty())
            return fail(ErrorCode::BadInput, "a sort key is empty", "sort", "Write KEY or -KEY, for example -valid/top1");
        compiled.query.sort.push_back(sortTerm(key, isDescending, compiled));
    }
    return {};
}

}  // namespace

Result<CompiledFilter> compileFilter(std::string_view filter, std::string_view sort) {
    CompiledFilter compiled;
    ESPALIER_TRY(auto tokens, filterTokens(filter));
    ESPALIER_TRY(auto piece, Parser(std::move(tokens), compiled).parse());
    compiled.query.where = std::move(piece.sql);
    compiled.query.values = std::move(piece.values);
    ESPALIER_CHECK_OK(compileSort(sort, compiled));
    return compiled;
}

}  // namespace espalier::catalog
