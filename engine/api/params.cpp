#include "engine/api/params.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "engine/base/assert.h"

namespace espalier::api {
namespace {

std::string normalisedKey(std::string_view key) {
    std::string text(key);
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return std::string(text);
}

std::string realText(double value) {
    char buffer[64];
    const auto [end, code] = std::to_chars(buffer, buffer + sizeof buffer, value);
    return code == std::errc{} ? std::string(buffer, end) : std::string("nan");
}

template <class T>
std::optional<T> numberFrom(std::string_view text) {
    T value{};
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> splitList(std::string_view text) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= text.size()) {
        const auto comma = std::min(text.find(',', start), text.size());
        if (auto part = trimmed(text.substr(start, comma - start)); !part.empty()) parts.push_back(std::move(part));
        start = comma + 1;
    }
    return parts;
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : separator) + word;
    return text;
}

std::string rangeText(const ParamSpec& spec) {
    return realText(spec.minimum) + " to " + realText(spec.maximum);
}

ParamSpec makeSpec(ParamType type, std::string key, std::string group, std::string help) {
    ParamSpec spec;
    spec.type = type;
    spec.label = key;
    std::replace(spec.label.begin(), spec.label.end(), '_', ' ');
    spec.key = std::move(key);
    spec.group = std::move(group);
    spec.help = std::move(help);
    return spec;
}

bool holdsType(ParamType type, const ParamValue& value) {
    switch (type) {
        case ParamType::Integer: return std::holds_alternative<std::int64_t>(value);
        case ParamType::Real: return std::holds_alternative<double>(value);
        case ParamType::Boolean: return std::holds_alternative<bool>(value);
        case ParamType::Choice:
        case ParamType::Text: return std::holds_alternative<std::string>(value);
        case ParamType::IntegerList: return std::holds_alternative<std::vector<std::int64_t>>(value);
        case ParamType::ChoiceList: return std::holds_alternative<std::vector<std::string>>(value);
    }
    return false;
}

}  // namespace

const char* scaleName(Scale scale) noexcept {
    return scale == Scale::Paper ? "paper" : scale == Scale::Desk ? "desk" : "smoke";
}

std::optional<Scale> scaleFromName(std::string_view name) noexcept {
    for (const auto scale : {Scale::Paper, Scale::Desk, Scale::Smoke})
        if (name == scaleName(scale)) return scale;
    return std::nullopt;
}

const ParamValue& ParamSpec::defaultAt(Scale scale) const {
    return scale == Scale::Paper ? paper : scale == Scale::Desk ? desk : smoke;
}

ParamSpec integer(std::string key, std::string group, std::string help) {
    return makeSpec(ParamType::Integer, std::move(key), std::move(group), std::move(help));
}
ParamSpec real(std::string key, std::string group, std::string help) {
    return makeSpec(ParamType::Real, std::move(key), std::move(group), std::move(help));
}
ParamSpec boolean(std::string key, std::string group, std::string help) {
    return makeSpec(ParamType::Boolean, std::move(key), std::move(group), std::move(help));
}
ParamSpec choice(std::string key, std::string group, std::string help, std::vector<std::string> choices) {
    auto spec = makeSpec(ParamType::Choice, std::move(key), std::move(group), std::move(help));
    spec.choices = std::move(choices);
    return spec;
}
ParamSpec text(std::string key, std::string group, std::string help) {
    return makeSpec(ParamType::Text, std::move(key), std::move(group), std::move(help));
}
ParamSpec integerList(std::string key, std::string group, std::string help) {
    return makeSpec(ParamType::IntegerList, std::move(key), std::move(group), std::move(help));
}
ParamSpec choiceList(std::string key, std::string group, std::string help, std::vector<std::string> choices) {
    auto spec = makeSpec(ParamType::ChoiceList, std::move(key), std::move(group), std::move(help));
    spec.choices = std::move(choices);
    return spec;
}

std::string valueText(const ParamValue& value) {
    struct Visitor {
        std::string operator()(std::int64_t v) const { return std::to_string(v); }
        std::string operator()(double v) const { return realText(v); }
        std::string operator()(bool v) const { return v ? "true" : "false"; }
        std::string operator()(const std::string& v) const { return v; }
        std::string operator()(const std::vector<std::int64_t>& v) const {
            std::string text;
            for (const auto item : v) text += (text.empty() ? "" : ",") + std::to_string(item);
            return text;
        }
        std::string operator()(const std::vector<std::string>& v) const { return joined(v, ","); }
    };
    return std::visit(Visitor{}, value);
}

const ParamSpec* ParamSchema::find(std::string_view key) const noexcept {
    const auto wanted = normalisedKey(key);
    for (const auto& spec : m_specs)
        if (spec.key == wanted) return &spec;
    return nullptr;
}

Result<ParamValue> ParamSchema::parse(std::string_view key, std::string_view rawText) const {
    const auto* spec = find(key);
    if (!spec) {
        std::vector<std::string> known;
        for (const auto& each : m_specs) known.push_back(each.key);
        const auto near = nearestWord(normalisedKey(key), known);
        return fail(ErrorCode::BadInput, "there is no parameter of this name", std::string(key),
                    near.empty() ? "Known ones: " + joined(known, ", ") : "Did you mean " + near + "?");
    }
    const auto text = trimmed(rawText);
    const auto bad = [&](const std::string& expected) {
        return fail(ErrorCode::BadInput, "\"" + text + "\" is not " + expected, spec->key,
                    "The paper uses " + valueText(spec->paper));
    };
    ParamValue value;
    switch (spec->type) {
        case ParamType::Integer: {
            auto number = numberFrom<std::int64_t>(text);
            if (!number) {  // "1e3" is a whole number too
                const auto asReal = numberFrom<double>(text);
                if (!asReal || *asReal != std::floor(*asReal) || std::abs(*asReal) > 9e15)
                    return bad("a whole number");
                number = static_cast<std::int64_t>(*asReal);
            }
            value = *number;
            break;
        }
        case ParamType::Real: {
            const auto number = numberFrom<double>(text);
            if (!number || !std::isfinite(*number)) return bad("a number");
            value = *number;
            break;
        }
        case ParamType::Boolean:
            if (text == "true" || text == "yes" || text == "on" || text == "1") value = true;
            else if (text == "false" || text == "no" || text == "off" || text == "0") value = false;
            else return bad("true or false");
            break;
        case ParamType::Choice:
        case ParamType::Text: value = text; break;
        case ParamType::IntegerList: {
            std::vector<std::int64_t> numbers;
            for (const auto& part : splitList(text)) {
                const auto number = numberFrom<std::int64_t>(part);
                if (!number) return bad("a list of whole numbers such as 8,4,3");
                numbers.push_back(*number);
            }
            value = std::move(numbers);
            break;
        }
        case ParamType::ChoiceList: value = splitList(text); break;
    }
    ESPALIER_CHECK_OK(validate(key, value));
    // Choices are matched without case and handed on in their own spelling.
    const auto canonical = [&](const std::string& word) {
        for (const auto& known : spec->choices)
            if (known.size() == word.size() &&
                std::equal(known.begin(), known.end(), word.begin(),
                           [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }))
                return known;
        return word;
    };
    if (spec->type == ParamType::Choice) value = canonical(std::get<std::string>(value));
    if (spec->type == ParamType::ChoiceList)
        for (auto& word : std::get<std::vector<std::string>>(value)) word = canonical(word);
    return value;
}

Result<void> ParamSchema::validate(std::string_view key, const ParamValue& value) const {
    const auto* spec = find(key);
    if (!spec) return fail(ErrorCode::BadInput, "there is no parameter of this name", std::string(key));
    if (!holdsType(spec->type, value))
        return fail(ErrorCode::BadInput, "the value \"" + valueText(value) + "\" is of the wrong kind", spec->key);
    const auto outOfRange = [&](double number) -> Result<void> {
        if (spec->minimum == spec->maximum && spec->minimum == 0.0) return {};
        if (number >= spec->minimum && number <= spec->maximum) return {};
        const bool isHigh = number > spec->maximum;
        return fail(ErrorCode::BadInput,
                    realText(number) + (isHigh ? " is above the highest value " : " is below the lowest value ") +
                        realText(isHigh ? spec->maximum : spec->minimum),
                    spec->key, "Use " + rangeText(*spec) + "; the paper uses " + valueText(spec->paper));
    };
    const auto notAChoice = [&](const std::string& word) -> Result<void> {
        for (const auto& known : spec->choices)
            if (known.size() == word.size() &&
                std::equal(known.begin(), known.end(), word.begin(),
                           [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }))
                return {};
        const auto near = nearestWord(word, spec->choices);
        return fail(ErrorCode::BadInput, "\"" + word + "\" is not one of " + joined(spec->choices, ", "), spec->key,
                    near.empty() ? "" : "Did you mean " + near + "?");
    };
    switch (spec->type) {
        case ParamType::Integer: return outOfRange(static_cast<double>(std::get<std::int64_t>(value)));
        case ParamType::Real: return outOfRange(std::get<double>(value));
        case ParamType::Choice: return notAChoice(std::get<std::string>(value));
        case ParamType::IntegerList: {
            const auto& numbers = std::get<std::vector<std::int64_t>>(value);
            if (numbers.empty()) return fail(ErrorCode::BadInput, "needs at least one value", spec->key);
            for (const auto number : numbers) ESPALIER_CHECK_OK(outOfRange(static_cast<double>(number)));
            return {};
        }
        case ParamType::ChoiceList: {
            const auto& words = std::get<std::vector<std::string>>(value);
            if (words.empty()) return fail(ErrorCode::BadInput, "needs at least one value", spec->key);
            for (const auto& word : words) ESPALIER_CHECK_OK(notAChoice(word));
            return {};
        }
        case ParamType::Boolean:
        case ParamType::Text: return {};
    }
    return {};
}

Params::Params(const ParamSchema& schema, Scale scale) : m_schema(schema), m_scale(scale) {
    for (const auto& spec : schema.specs()) m_values[spec.key] = spec.defaultAt(scale);
}

Result<void> Params::set(std::string_view key, ParamValue value) {
    ESPALIER_CHECK_OK(m_schema.validate(key, value));
    m_values[normalisedKey(key)] = std::move(value);
    return {};
}

Result<void> Params::setText(std::string_view key, std::string_view text) {
    ESPALIER_TRY(auto value, m_schema.parse(key, text));
    m_values[normalisedKey(key)] = std::move(value);
    return {};
}

const ParamValue& Params::value(std::string_view key) const {
    const auto found = m_values.find(key);
    ESPALIER_ASSERT(found != m_values.end(), "a recipe reads only parameters of its own schema");
    return found->second;
}

bool Params::has(std::string_view key) const { return m_values.find(key) != m_values.end(); }
std::int64_t Params::integer(std::string_view key) const { return std::get<std::int64_t>(value(key)); }
double Params::real(std::string_view key) const { return std::get<double>(value(key)); }
bool Params::boolean(std::string_view key) const { return std::get<bool>(value(key)); }
const std::string& Params::text(std::string_view key) const { return std::get<std::string>(value(key)); }
const std::vector<std::int64_t>& Params::integers(std::string_view key) const {
    return std::get<std::vector<std::int64_t>>(value(key));
}
const std::vector<std::string>& Params::texts(std::string_view key) const {
    return std::get<std::vector<std::string>>(value(key));
}

std::map<std::string, std::string> Params::toText() const {
    std::map<std::string, std::string> texts;
    for (const auto& [key, value] : m_values) texts[key] = valueText(value);
    return texts;
}

std::map<std::string, std::string> Params::changedFromDefault() const {
    std::map<std::string, std::string> texts;
    for (const auto& spec : m_schema.specs())
        if (value(spec.key) != spec.defaultAt(m_scale)) texts[spec.key] = valueText(value(spec.key));
    return texts;
}

std::string nearestWord(std::string_view word, const std::vector<std::string>& known) {
    std::string best;
    std::size_t bestDistance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const auto& candidate : known) {
        // Levenshtein distance, one row at a time.
        std::vector<std::size_t> row(candidate.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= word.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j < row.size(); ++j) {
                const auto above = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (word[i - 1] != candidate[j - 1])});
                diagonal = above;
            }
        }
        if (row.back() < bestDistance) {
            bestDistance = row.back();
            best = candidate;
        }
    }
    return best;
}

}  // namespace espalier::api
