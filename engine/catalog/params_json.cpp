#include <nlohmann/json.hpp>

#include "engine/catalog/run_rows.h"

namespace espalier::catalog {
namespace {

using nlohmann::json;

/// Collects a flat object of texts without building a tree.
struct ParamsReader : nlohmann::json_sax<json> {
    std::map<std::string, std::string> params;
    std::string member;
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t& text) override {
        params.insert_or_assign(params.end(), std::move(member), std::move(text));
        return true;
    }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t& text) override {
        member = std::move(text);
        return true;
    }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return false; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }
};

}  // namespace

bool forEachPlainParam(std::string_view text, const std::function<void(std::string_view, std::string_view)>& member) {
    std::size_t at = 0;
    const auto take = [&](char wanted) { return at < text.size() && text[at] == wanted && ++at; };
    const auto word = [&](std::string_view& found) {
        if (!take('"')) return false;
        const auto end = text.find('"', at);
        if (end == std::string_view::npos) return false;
        found = text.substr(at, end - at);
        at = end + 1;
        return true;
    };
    if (text.find('\\') != std::string_view::npos || !take('{')) return false;
    if (take('}')) return at == text.size();
    do {
        std::string_view key, value;
        if (!word(key) || !take(':') || !word(value)) return false;
        member(key, value);
    } while (take(','));
    return take('}') && at == text.size();
}

std::string paramsToJson(const std::map<std::string, std::string>& params) {
    json object = json::object();
    for (const auto& [key, value] : params) object[key] = value;
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::map<std::string, std::string> paramsFromJson(std::string_view text) {
    std::map<std::string, std::string> params;
    if (forEachPlainParam(text, [&](std::string_view key, std::string_view value) {
            params.insert_or_assign(params.end(), std::string(key), std::string(value));
        }))
        return params;
    ParamsReader reader;
    json::sax_parse(text.begin(), text.end(), &reader);
    return std::move(reader.params);
}

}  // namespace espalier::catalog
