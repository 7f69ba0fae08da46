#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace espalier::api {

enum class Scale { Paper, Desk, Smoke };
const char* scaleName(Scale scale) noexcept;
std::optional<Scale> scaleFromName(std::string_view name) noexcept;

enum class ParamType { Integer, Real, Boolean, Choice, Text, IntegerList, ChoiceList };

/// Integer, Real, Boolean, Choice and Text hold one alternative each; lists hold vectors.
using ParamValue =
    std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>, std::vector<std::string>>;

/// One user-facing parameter. Form, command-line flag, validation, catalog row and sweep axis all come from it.
struct ParamSpec {
    std::string key;    ///< snake_case; the flag is "--key" with '_' or '-'
    std::string label;  ///< "positional embedding"
    std::string group;  ///< section of the form: "Model", "Training", …
    std::string help;   ///< one line
    std::string unit;   ///< "epochs", "px", empty
    ParamType type = ParamType::Real;
    ParamValue paper, desk, smoke;         ///< defaults
    double minimum = 0.0, maximum = 0.0;   ///< inclusive; for numbers and for the elements of lists
    std::vector<std::string> choices;      ///< Choice, ChoiceList
    std::vector<std::string> choiceHelp;   ///< beside the field, one a choice; may be empty
    bool isLog = false;                    ///< spreads over decades (learning rates)
    bool isAdvanced = false;
    /// The field only matters when this other parameter has one of these values (empty key = always).
    std::string onlyWhenKey;
    std::vector<std::string> onlyWhenValues;

    const ParamValue& defaultAt(Scale scale) const;

    // Builder: integer("epochs", "Training", "Passes over the training data").range(1, 5000).defaults(300, 10, 1)
    ParamSpec& named(std::string text) { label = std::move(text); return *this; }
    ParamSpec& range(double low, double high) { minimum = low; maximum = high; return *this; }
    ParamSpec& in(std::string text) { unit = std::move(text); return *this; }
    ParamSpec& log() { isLog = true; return *this; }
    ParamSpec& advanced() { isAdvanced = true; return *this; }
    ParamSpec& defaults(ParamValue all) { paper = desk = smoke = std::move(all); return *this; }
    ParamSpec& defaults(ParamValue p, ParamValue d, ParamValue s) {
        paper = std::move(p); desk = std::move(d); smoke = std::move(s); return *this;
    }
    ParamSpec& hints(std::vector<std::string> texts) { choiceHelp = std::move(texts); return *this; }
    ParamSpec& onlyWhen(std::string other, std::vector<std::string> values) {
        onlyWhenKey = std::move(other); onlyWhenValues = std::move(values); return *this;
    }
};

ParamSpec integer(std::string key, std::string group, std::string help);
ParamSpec real(std::string key, std::string group, std::string help);
ParamSpec boolean(std::string key, std::string group, std::string help);
ParamSpec choice(std::string key, std::string group, std::string help, std::vector<std::string> choices);
ParamSpec text(std::string key, std::string group, std::string help);
ParamSpec integerList(std::string key, std::string group, std::string help);
ParamSpec choiceList(std::string key, std::string group, std::string help, std::vector<std::string> choices);

/// Canonical text of a value: "0.00055", "true", "8,4,3". Reading it back gives the same value bit for bit.
std::string valueText(const ParamValue& value);

/// The parameters of a recipe in form order.
class ParamSchema {
public:
    ParamSchema() = default;
    explicit ParamSchema(std::vector<ParamSpec> specs) : m_specs(std::move(specs)) {}

    const std::vector<ParamSpec>& specs() const noexcept { return m_specs; }
    const ParamSpec* find(std::string_view key) const noexcept;  ///< '-' and '_' are the same

    /// Text from form or command line to a value of the right type inside the range. The error names the key, the
    /// offending text, the range and the paper's value.
    Result<ParamValue> parse(std::string_view key, std::string_view text) const;
    Result<void> validate(std::string_view key, const ParamValue& value) const;

private:
    std::vector<ParamSpec> m_specs;
};

/// Values for every key of a schema.
class Params {
public:
    Params() = default;
    Params(const ParamSchema& schema, Scale scale);

    /// Unknown key: an error that names the nearest known one.
    Result<void> set(std::string_view key, ParamValue value);
    Result<void> setText(std::string_view key, std::string_view text);

    std::int64_t integer(std::string_view key) const;
    double real(std::string_view key) const;
    bool boolean(std::string_view key) const;
    const std::string& text(std::string_view key) const;  ///< Choice and Text
    const std::vector<std::int64_t>& integers(std::string_view key) const;
    const std::vector<std::string>& texts(std::string_view key) const;
    const ParamValue& value(std::string_view key) const;
    bool has(std::string_view key) const;

    Scale scale() const noexcept { return m_scale; }
    const ParamSchema& schema() const noexcept { return m_schema; }
    std::map<std::string, std::string> toText() const;
    std::map<std::string, std::string> changedFromDefault() const;

private:
    ParamSchema m_schema;
    Scale m_scale = Scale::Desk;
    std::map<std::string, ParamValue, std::less<>> m_values;
};

/// Known word nearest to a misspelt one, empty when nothing is near.
std::string nearestWord(std::string_view word, const std::vector<std::string>& known);

}  // namespace espalier::api
