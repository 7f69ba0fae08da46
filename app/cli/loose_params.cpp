#include "app/cli/loose_params.h"

namespace espalier::cli {

Result<std::map<std::string, std::string>> looseParams(const std::vector<std::string>& words, std::string* bareWord) {
    constexpr const char* kHowTo = "Parameters are written --name value";
    std::map<std::string, std::string> params;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        const bool isFlag = word.size() > 2 && word.compare(0, 2, "--") == 0;
        if (!isFlag && bareWord && bareWord->empty()) {
            *bareWord = word;
            continue;
        }
        if (!isFlag) return fail(ErrorCode::BadInput, "\"" + word + "\" is not understood here", "command line", kHowTo);
        const auto equals = word.find('=');
        if (equals != std::string::npos) params[word.substr(2, equals - 2)] = word.substr(equals + 1);
        else if (i + 1 < words.size()) params[word.substr(2)] = words[++i];
        else return fail(ErrorCode::BadInput, "has no value", word, kHowTo);
    }
    return params;
}

}  // namespace espalier::cli
