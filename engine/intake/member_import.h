#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/intake/array_rows.h"
#include "engine/intake/importer.h"
#include "engine/intake/member_guess.h"

namespace espalier::intake {

/// A file of named arrays (.npz, HDF5), as far as importing pictures and labels needs it. Used by one thread.
class MemberFile {
public:
    virtual ~MemberFile() = default;
    virtual const std::vector<MemberInfo>& members() const = 0;
    /// Refuses what cannot be pictures or a table. `where` names the member.
    virtual Result<void> checkImages(std::size_t member, const std::string& where) = 0;
    /// One class name a sample.
    virtual Result<std::vector<std::string>> readLabels(std::size_t member, const std::string& where) = 0;
    /// How row sources and warnings name the member; empty = by the file that holds all.
    virtual std::string fileOf(std::size_t) const { return {}; }
    virtual Result<void> deliver(std::size_t member, const ArrayDelivery::Part& part, ArrayDelivery& delivery) = 0;
};

/// Guesses which members belong together, checks their lengths, and streams all pairs into the sink.
Result<void> importMembers(MemberFile& file, const std::filesystem::path& path, const ImportOptions& options, RowSink& sink);

}  // namespace espalier::intake
