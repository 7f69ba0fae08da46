#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/cli/verbs.h"

namespace espalier::cli {
namespace {

/// A verb on one run that prints the run afterwards.
void addRunEdit(CLI::App& program, Action& action, const char* verb, const char* help, const char* argument,
                const char* argumentHelp,
                std::function<Result<void>(runtime::Workspace&, const feed::RunInfo&, const std::vector<std::string>&)> edit) {
    auto* command = program.add_subcommand(verb, help);
    auto run = std::make_shared<std::string>();
    auto words = std::make_shared<std::vector<std::string>>();
    command->add_option("RUN", *run, "Id, start of an id, or name")->required();
    if (argument) command->add_option(argument, *words, argumentHelp)->required();
    command->callback([&action, run, words, edit] {
        action = [=](Session& session) {
            return guarded(session, [&]() -> Result<int> {
                ESPALIER_TRY(auto workspace, session.workspace());
                // Trashed runs can be named too: restore needs them.
                ESPALIER_TRY(const auto found, workspace->findRun(*run));
                ESPALIER_CHECK_OK(edit(*workspace, found, *words));
                const auto after = workspace->run(found.id);
                if (session.isJson()) printJson({{"run", runJson(after ? *after : found)}});
                else std::printf("%s  %s\n", found.id.c_str(), (after ? after->name : found.name).c_str());
                return kDone;
            });
        };
    });
}

Result<void> editTags(runtime::Workspace& workspace, const feed::RunInfo& run, const std::vector<std::string>& words) {
    std::vector<std::string> added, removed;
    for (const auto& word : words) {
        const bool isRemoval = word.size() > 1 && word[0] == '-';
        (isRemoval ? removed : added).push_back(isRemoval ? word.substr(1) : word);
    }
    return workspace.changeTags(run.id, added, removed);
}

Result<int> workspaceVerb(Session& session, const std::string& what, bool isEmptying) {
    ESPALIER_TRY(auto workspace, session.workspace());
    if (what == "trash") {
        if (isEmptying) {
            ESPALIER_TRY(const auto bytes, workspace->emptyTrash());
            if (session.isJson()) printJson({{"freed", bytes}});
            else std::printf("%s freed\n", bytesText(bytes).c_str());
            return kDone;
        }
        ESPALIER_TRY(const auto entries, workspace->trash());
        auto array = nlohmann::ordered_json::array();
        std::vector<std::vector<std::string>> rows;
        for (const auto& entry : entries) {
            array.push_back({{"kind", entry.kind}, {"id", entry.id}, {"name", entry.name}, {"bytes", entry.bytes}});
            rows.push_back({entry.kind, entry.id, entry.name, bytesText(entry.bytes)});
        }
        if (session.isJson()) printJson({{"trash", array}});
        else printTable({"kind", "id", "name", "size"}, rows);
        return kDone;
    }
    if (what == "undo" || what == "redo") {
        ESPALIER_TRY(const auto text, what == "undo" ? workspace->undo() : workspace->redo());
        if (session.isJson()) printJson({{what, text}});
        else std::printf("%s: %s\n", what.c_str(), text.c_str());
        return kDone;
    }
    ESPALIER_TRY(const auto warnings, what == "rebuild" ? workspace->rebuild() : workspace->check());
    auto array = nlohmann::ordered_json::array();
    for (const auto& warning : warnings) {
        array.push_back(warningJson(warning));
        if (!session.isJson()) std::printf("%s: %s\n", warning.file.c_str(), warning.detail.c_str());
    }
    if (session.isJson())
        printJson({{"workspace", workspace->folder().string()}, {"warnings", array}, {"notices", workspace->notices()}});
    else std::printf("%s: %s\n", workspace->folder().c_str(), warnings.empty() ? "all is well" : "see above");
    return what == "check" && !warnings.empty() ? kFailed : kDone;
}

}  // namespace

void addKeepVerbs(CLI::App& program, Action& action) {
    addRunEdit(program, action, "rename", "Give a run another name", "NAME", "New name",
               [](auto& workspace, const auto& run, const auto& words) { return workspace.renameRun(run.id, words.front()); });
    addRunEdit(program, action, "tag", "Add tags to a run; -TAG takes one away (after --)", "TAG", "Tags", editTags);
    addRunEdit(program, action, "note", "Write the note of a run", "TEXT", "The note",
               [](auto& workspace, const auto& run, const auto& words) {
                   std::string text;
                   for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
                   return workspace.setRunNote(run.id, text);
               });
    addRunEdit(program, action, "delete", "Move a run to the trash", nullptr, "",
               [](auto& workspace, const auto& run, const auto&) { return workspace.trashRun(run.id); });
    addRunEdit(program, action, "restore", "Take a run out of the trash", nullptr, "",
               [](auto& workspace, const auto& run, const auto&) { return workspace.restoreRun(run.id); });

    auto* workspace = program.add_subcommand("workspace", "check, rebuild, trash, undo or redo");
    auto what = std::make_shared<std::string>();
    auto isEmptying = std::make_shared<bool>(false);
    workspace->add_option("WHAT", *what, "check, rebuild, trash, undo or redo")->required()->check(CLI::IsMember({"check", "rebuild", "trash", "undo", "redo"}));
    workspace->add_flag("--empty", *isEmptying, "With trash: delete for good");
    workspace->callback([&action, what, isEmptying] {
        action = [=](Session& session) { return guarded(session, [&] { return workspaceVerb(session, *what, *isEmptying); }); };
    });
}

}  // namespace espalier::cli
